//! Source text as tokens, without comments and without what is compiled for tests only.

/// A piece of source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its text; of a string, what stands between the quotes.
    pub text: String,
    /// The line it begins in, counted from 1.
    pub line: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword, a name or a lifetime.
    Word,
    /// A string or a character.
    Text,
    /// A number.
    Number,
    /// `::`, or any other single character.
    Mark,
}

impl Token {
    /// Whether it is this mark.
    pub fn is_mark(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }

    /// Whether it is this word.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }
}

/// The tokens of a file that are compiled outside tests: what `#[cfg(test)]` marks is left out.
pub fn tokens(text: &str) -> Vec<Token> {
    without_tests(lex(text))
}

/// The names of the modules that a file declares for tests only, as in `#[cfg(test)] mod name;`.
pub fn test_modules(text: &str) -> Vec<String> {
    let all = lex(text);
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(end) = test_item_from(&all, &mut at) {
        for item in all[at..end].windows(3) {
            if item[0].is_word("mod") && item[1].kind == Kind::Word && item[2].is_mark(";") {
                names.push(item[1].text.clone());
            }
        }
        at = end;
    }
    names
}

fn without_tests(all: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::with_capacity(all.len());
    let mut at = 0;
    loop {
        let start = at;
        let end = test_item_from(&all, &mut at);
        kept.extend_from_slice(&all[start..at]);
        let Some(end) = end else { return kept };
        at = end;
    }
}

/// Moves `at` to the next item that is marked `#[cfg(test)]` and returns its end; without one, moves it to the end of all.
fn test_item_from(all: &[Token], at: &mut usize) -> Option<usize> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    while *at < all.len() {
        let here = &all[*at..];
        if here.len() >= MARK.len() && here.iter().zip(MARK).all(|(token, text)| token.text == text) {
            return Some(end_of_item(all, *at));
        }
        *at += 1;
    }
    None
}

/// Where the item at `at` ends, with the attributes before it.
fn end_of_item(all: &[Token], mut at: usize) -> usize {
    while at < all.len() && all[at].is_mark("#") {
        at = end_of_group(all, at + 1);
    }
    const KEYWORDS: [&str; 17] = [
        "async",
        "const",
        "enum",
        "extern",
        "fn",
        "impl",
        "let",
        "macro_rules",
        "mod",
        "pub",
        "static",
        "struct",
        "trait",
        "type",
        "union",
        "unsafe",
        "use",
    ];
    // A field may be public too, and ends at a comma.
    let first = match all.get(at) {
        Some(token) if token.is_word("pub") => {
            let next = at + 1;
            if all.get(next).is_some_and(|token| token.is_mark("(")) { end_of_group(all, next) } else { next }
        }
        _ => at,
    };
    let is_item = all.get(first).is_some_and(|token| KEYWORDS.contains(&token.text.as_str()));
    while let Some(token) = all.get(at) {
        match token.text.as_str() {
            ";" if token.kind == Kind::Mark => return at + 1,
            "," if token.kind == Kind::Mark && !is_item => return at + 1,
            "}" | ")" | "]" if token.kind == Kind::Mark => return at,
            "{" if token.kind == Kind::Mark => {
                at = end_of_group(all, at);
                // `use a::{b};` goes on after its braces, as does `let x = S {..};`.
                if !all.get(at).is_some_and(|token| token.is_mark(";")) && is_item {
                    return at;
                }
            }
            "(" | "[" if token.kind == Kind::Mark => at = end_of_group(all, at),
            _ => at += 1,
        }
    }
    at
}

/// Where the group of brackets that opens at `at` ends.
pub fn end_of_group(all: &[Token], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in all.iter().enumerate().skip(at) {
        if token.kind == Kind::Mark {
            match token.text.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        if depth == 0 && index > at {
            return index + 1;
        }
    }
    all.len()
}

/// All tokens of a text.
fn lex(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text, line: 1, tokens: Vec::new() };
    while !lexer.rest.is_empty() {
        lexer.next();
    }
    lexer.tokens
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

fn is_name(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

impl<'a> Lexer<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn push(&mut self, kind: Kind, text: &str, line: usize) {
        self.tokens.push(Token { kind, text: text.to_owned(), line });
    }

    fn next(&mut self) {
        let (rest, line) = (self.rest, self.line);
        let first = rest.chars().next().unwrap_or(' ');
        if first.is_whitespace() {
            self.take(first.len_utf8());
        } else if rest.starts_with("//") {
            self.take(rest.find('\n').unwrap_or(rest.len()));
        } else if rest.starts_with("/*") {
            self.take(end_of_comment(rest));
        } else if let Some((prefix, length)) = string(rest) {
            let text = self.take(length);
            let text = text[prefix..].trim_end_matches('#');
            self.push(Kind::Text, text.trim_matches('"'), line);
        } else if let Some(length) = character(rest) {
            let text = self.take(length);
            self.push(Kind::Text, text, line);
        } else if first.is_ascii_digit() {
            let text = self.take(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
            self.push(Kind::Number, text, line);
        } else if is_name(first) || first == '\'' {
            let raw = if rest.starts_with("r#") { 2 } else { 0 };
            self.take(raw);
            let skipped = usize::from(first == '\'');
            let end = self.rest[skipped..].find(|c| !is_name(c)).unwrap_or(self.rest.len() - skipped);
            let text = self.take((skipped + end).max(1));
            self.push(Kind::Word, text, line);
        } else {
            let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            let text = self.take(length);
            self.push(Kind::Mark, text, line);
        }
    }
}

fn end_of_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of what precedes a string's first quote, and that of the whole string.
fn string(rest: &str) -> Option<(usize, usize)> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let after = rest.strip_prefix(prefix).unwrap_or_default();
        after.starts_with('"') || (prefix.ends_with('r') && after.trim_start_matches('#').starts_with('"'))
    })?;
    let hashes = rest[prefix.len()..].len() - rest[prefix.len()..].trim_start_matches('#').len();
    let start = prefix.len() + hashes;
    if !rest[start..].starts_with('"') {
        return None;
    }
    if prefix.ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        let length = rest[start + 1..].find(&end).map_or(rest.len(), |at| start + 1 + at + end.len());
        return Some((start, length));
    }
    let mut escaped = false;
    for (at, character) in rest[start + 1..].char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((start, start + 1 + at + 1)),
            _ => {}
        }
    }
    Some((start, rest.len()))
}

/// The length of a character, which a lifetime is not.
fn character(rest: &str) -> Option<usize> {
    let prefix = usize::from(rest.starts_with("b'"));
    let inner = rest[prefix..].strip_prefix('\'')?;
    let mut characters = inner.char_indices();
    let (_, first) = characters.next()?;
    if first == '\\' {
        characters.next()?;
        return characters.find(|(_, c)| *c == '\'').map(|(at, _)| prefix + 1 + at + 1);
    }
    let (at, next) = characters.next()?;
    (next == '\'').then_some(prefix + 1 + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_are_left_out_and_strings_are_one_token() {
        let text = "a // b\n/* c /* d */ e */ \"f // g\\\" h\" r#\"i \" j\"# b'k' 'l' 'm: 1.5";
        let expected = ["a", "f // g\\\" h", "i \" j", "b'k'", "'l'", "'m", ":", "1", ".", "5"];
        assert_eq!(texts(text), expected);
        assert_eq!(texts("b\"x\" '\\'' r#type::y"), ["x", "'\\''", "type", "::", "y"]);
    }

    #[test]
    fn lines_are_counted_through_all_of_them() {
        let lines: Vec<usize> = tokens("a\n/*\n*/ b \"\n\n\" c").iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 3, 3, 5]);
    }

    #[test]
    fn what_is_for_tests_is_left_out() {
        assert_eq!(texts("#[cfg(test)]\nmod tests {\n    fn f() {}\n}\nfn g() {}"), texts("fn g() {}"));
        assert_eq!(texts("#[cfg(test)]\n#[allow(x)]\nmod tests;\nuse a;"), texts("use a;"));
        assert_eq!(texts("#[cfg(test)]\nuse a::{b, c};\nuse d;"), texts("use d;"));
        assert_eq!(texts("#[cfg(test)]\npub(crate) fn f<A, B>(a: A) -> [B; 1] {}\nuse d;"), texts("use d;"));
        assert_eq!(texts("struct S { #[cfg(test)] a: Vec<u8>, b: u8 }"), texts("struct S { b: u8 }"));
        assert_eq!(texts("struct S { b: u8, #[cfg(test)] pub a: u8 }"), texts("struct S { b: u8, }"));
        assert_eq!(
            test_modules("#[cfg(test)]\n#[path = \"x\"]\npub(crate) mod tests;\nmod other;\n"),
            ["tests"]
        );
    }
}
