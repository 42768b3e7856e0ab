//! Tests of the pictures and chapters that a decoder lists.

#![forbid(unsafe_code)]

use crate::context::Context;
use crate::host::{Chapter, Decoder, Fault, KeptChapter, KeptPicture, Picture};
use crate::reference::references;
use crate::verdict::{Finding, Outcome};

/// The maximum number of pictures that a file may have, and of chapters of a stream: a host reads no more.
const MAX_PICTURES: usize = 256;
const MAX_CHAPTERS: usize = 1 << 16;

/// Pictures and chapters where the plugin has them.
struct Kept<'a>(Vec<KeptPicture<'a>>, Vec<KeptChapter<'a>>);

/// What they hold.
type Items = (Vec<Picture>, Vec<Chapter>);

/// Pictures and chapters are valid until their handle is closed, and the same for every handle and fork.
pub fn items(context: &Context) -> Outcome {
    let table = context.decoder()?;
    if !table.lists_items() {
        return Err(Finding::skipped("the decoder lists no pictures and no chapters"));
    }
    let mut count = 0;
    for reference in references(context, &table)? {
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        context.doing("listing its pictures and chapters");
        let num_frames = reference.num_frames as u64;
        let decoder = reference.open(&table)?;
        let kept = list(&decoder)?;
        let items = kept.read(num_frames)?;
        count += items.0.len() + items.1.len();
        let other = reference.open(&table)?;
        for (handle, whose) in [(&other, "another handle"), (&other.fork()?, "a fork")] {
            if list(handle)?.read(num_frames)? != items {
                let reason = format!("{whose} lists other pictures or chapters");
                return Err(Finding::broken("picture", reason));
            }
        }
        drop(other);
        if kept.read(num_frames)? != items {
            let reason = "a picture or a chapter, which is valid until close, changed after other handles listed theirs";
            return Err(Finding::broken("picture", reason));
        }
    }
    if count == 0 {
        context.note("no file has a picture or a chapter");
    }
    Ok(())
}

impl Kept<'_> {
    fn read(&self, num_frames: u64) -> Outcome<Items> {
        let Self(pictures, chapters) = self;
        Ok((
            pictures.iter().map(|picture| picture.read()).collect::<Outcome<_>>()?,
            chapters.iter().map(|chapter| chapter.read(num_frames)).collect::<Outcome<_>>()?,
        ))
    }
}

/// All pictures and chapters that a handle lists.
fn list(decoder: &Decoder) -> Outcome<Kept<'_>> {
    Ok(Kept(
        all("picture", MAX_PICTURES, |index| decoder.picture(index))?,
        all("chapter", MAX_CHAPTERS, |index| decoder.chapter(index))?,
    ))
}

fn all<T>(name: &'static str, most: usize, ask: impl Fn(u32) -> Result<Option<T>, Fault>) -> Outcome<Vec<T>> {
    let mut listed = Vec::new();
    for index in 0.. {
        let Some(item) = ask(index)? else { break };
        listed.push(item);
        if listed.len() > most {
            return Err(Finding::broken(name, format!("more than {most} {name}s are listed")));
        }
    }
    match ask(u32::MAX)? {
        Some(_) => Err(Finding::broken(name, format!("there is a {name} at index 4294967295"))),
        None => Ok(listed),
    }
}
