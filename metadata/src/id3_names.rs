//! The names of tags in ID3v2 ("ID3 tag version 2.4.0 - Native Frames", section 4) and the genres of ID3v1.

/// Vorbis comment names, the frames of 2.3 and 2.4, and those of 2.2. The first frame of a name is written.
pub(crate) const NAMES: [(&str, &[u8; 4], &[u8; 3]); 28] = [
    ("title", b"TIT2", b"TT2"),
    ("artist", b"TPE1", b"TP1"),
    ("album", b"TALB", b"TAL"),
    ("albumartist", b"TPE2", b"TP2"),
    ("composer", b"TCOM", b"TCM"),
    ("date", b"TDRC", b"TDR"),
    ("date", b"TYER", b"TYE"),
    ("tracknumber", b"TRCK", b"TRK"),
    ("discnumber", b"TPOS", b"TPA"),
    ("genre", b"TCON", b"TCO"),
    ("isrc", b"TSRC", b"TRC"),
    ("copyright", b"TCOP", b"TCR"),
    ("organization", b"TPUB", b"TPB"),
    ("lyricist", b"TEXT", b"TXT"),
    ("conductor", b"TPE3", b"TP3"),
    ("bpm", b"TBPM", b"TBP"),
    ("language", b"TLAN", b"TLA"),
    ("encoder", b"TSSE", b"TSS"),
    ("encoded-by", b"TENC", b"TEN"),
    ("grouping", b"TIT1", b"TT1"),
    ("subtitle", b"TIT3", b"TT3"),
    ("titlesort", b"TSOT", b"TST"),
    ("artistsort", b"TSOP", b"TSP"),
    ("albumsort", b"TSOA", b"TSA"),
    ("albumartistsort", b"TSO2", b"TS2"),
    ("composersort", b"TSOC", b"TSC"),
    ("originaldate", b"TDOR", b"TOR"),
    ("media", b"TMED", b"TMT"),
];

/// Frames of 2.2 that have another name later and hold no text.
pub(crate) const RENAMED: [(&[u8; 3], &[u8; 4]); 8] = [
    (b"COM", b"COMM"),
    (b"ULT", b"USLT"),
    (b"TXX", b"TXXX"),
    (b"UFI", b"UFID"),
    (b"POP", b"POPM"),
    (b"CNT", b"PCNT"),
    (b"WXX", b"WXXX"),
    (b"GEO", b"GEOB"),
];

/// The name of the tag in a frame.
pub(crate) fn name_of(id: &[u8; 4]) -> Option<&'static str> {
    NAMES.iter().find(|(_, known, _)| *known == id).map(|(name, ..)| *name)
}

/// The frame of a tag.
pub(crate) fn id_of(name: &str) -> Option<&'static [u8; 4]> {
    NAMES.iter().find(|(known, ..)| *known == name).map(|(_, id, _)| *id)
}

/// The genres of ID3v1 by number ("Genre List from ID3v1").
const GENRES: &str = "Blues;Classic Rock;Country;Dance;Disco;Funk;Grunge;Hip-Hop;Jazz;Metal;New Age;Oldies;Other;Pop;R&B;Rap;\
Reggae;Rock;Techno;Industrial;Alternative;Ska;Death Metal;Pranks;Soundtrack;Euro-Techno;Ambient;Trip-Hop;Vocal;Jazz+Funk;Fusion;\
Trance;Classical;Instrumental;Acid;House;Game;Sound Clip;Gospel;Noise;AlternRock;Bass;Soul;Punk;Space;Meditative;\
Instrumental Pop;Instrumental Rock;Ethnic;Gothic;Darkwave;Techno-Industrial;Electronic;Pop-Folk;Eurodance;Dream;Southern Rock;\
Comedy;Cult;Gangsta;Top 40;Christian Rap;Pop/Funk;Jungle;Native American;Cabaret;New Wave;Psychadelic;Rave;Showtunes;Trailer;\
Lo-Fi;Tribal;Acid Punk;Acid Jazz;Polka;Retro;Musical;Rock & Roll;Hard Rock";

/// The genre of a number.
pub(crate) fn genre_of(number: usize) -> Option<&'static str> {
    GENRES.split(';').nth(number)
}

/// A genre: a name, a number of ID3v1, or "(number)" with or without a name after it.
pub(crate) fn genre(text: &str) -> String {
    let name = |number: &str| number.parse().ok().and_then(genre_of);
    let known = match text.trim().strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((_, better)) if !better.is_empty() => return better.to_owned(),
        Some((number, _)) => name(number),
        None => name(text.trim()),
    };
    known.unwrap_or(text).to_owned()
}
