//! Circles of imports: files each of which imports, through others or straight, all of the rest.

use std::collections::{BTreeMap, BTreeSet};

/// That one file imports another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The file that imports.
    pub from: String,
    /// The file whose item is imported.
    pub to: String,
    /// The line of the import.
    pub line: usize,
    /// What is named there.
    pub name: String,
}

/// The circles of a graph: each the files that are tied to one another, in order of their names.
pub fn circles(edges: &[Edge]) -> Vec<Vec<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| edge.from != edge.to) {
        next.entry(&edge.from).or_default().insert(&edge.to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|start| (*start, reachable(start, &next))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (start, reached_from_start) in &reached {
        let is_tied = |other: &&&str| reached.get(**other).is_some_and(|back| back.contains(start));
        let circle: Vec<String> =
            reached_from_start.iter().filter(is_tied).map(ToString::to_string).collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn reachable<'a>(start: &'a str, next: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(file) = open.pop() {
        for &to in next.get(file).into_iter().flatten() {
            if reached.insert(to) {
                open.push(to);
            }
        }
    }
    reached
}

/// The imports within a circle, for a message: the first of each pair of files.
pub fn ties(circle: &[String], edges: &[Edge]) -> String {
    let is_inside =
        |edge: &&Edge| circle.contains(&edge.from) && circle.contains(&edge.to) && edge.from != edge.to;
    let mut first: BTreeMap<(&str, &str), &Edge> = BTreeMap::new();
    for edge in edges.iter().filter(is_inside) {
        let place = first.entry((&edge.from, &edge.to)).or_insert(edge);
        if edge.line < place.line {
            *place = edge;
        }
    }
    let line = |edge: &&Edge| format!("  {}:{} names {} of {}", edge.from, edge.line, edge.name, edge.to);
    first.values().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(&str, &str)]) -> Vec<Edge> {
        let edge = |(from, to): &(&str, &str)| Edge {
            from: (*from).to_owned(),
            to: (*to).to_owned(),
            line: 1,
            name: "x".to_owned(),
        };
        pairs.iter().map(edge).collect()
    }

    #[test]
    fn a_circle_is_all_files_that_are_tied_to_one_another() {
        assert!(circles(&edges(&[("a", "b"), ("a", "c"), ("b", "c"), ("c", "c")])).is_empty());
        assert_eq!(circles(&edges(&[("a", "b"), ("b", "a"), ("b", "c")])), [["a", "b"]]);
        let long = edges(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("e", "f"), ("f", "e")]);
        assert_eq!(circles(&long), [vec!["a", "b", "c"], vec!["e", "f"]]);
        assert!(ties(&["e".to_owned(), "f".to_owned()], &long).contains("e:1 names x of f"));
    }
}
