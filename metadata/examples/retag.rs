//! Shows the metadata of a file, or writes a copy with other metadata:
//! `retag FILE` or `retag FILE COPY title=… picture:cover.png marker:verse:1000:2000 bext:description`.

use mapwave_metadata::{Bext, Edit, Marker, OnUnknown, Options, Picture, plan, read};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("give a file")?;
    let old = std::fs::read(path)?;
    let Some(copy) = arguments.next() else {
        println!("{:#?}", read(&&*old, &Options::default())?);
        return Ok(());
    };
    let mut edit = Edit { on_unknown: OnUnknown::Drop, ..Edit::default() };
    for argument in arguments {
        let mut parts = argument.split(':');
        match (parts.next(), parts.next(), argument.split_once('=')) {
            (Some("picture"), Some(path), _) => {
                edit.pictures.get_or_insert_default().extend(Picture::new(std::fs::read(path)?));
            }
            (Some("marker"), Some(label), _) => {
                let start = parts.next().unwrap_or("0").parse()?;
                let end = parts.next().map(str::parse).transpose()?;
                edit.markers.get_or_insert_default().push(Marker { label: label.to_owned(), start, end });
            }
            (Some("bext"), Some(text), _) => {
                edit.bext = Some(Some(Bext { description: text.to_owned(), ..Bext::default() }));
            }
            (_, _, Some((name, value))) => {
                edit.tags.get_or_insert_default().push((name.to_owned(), value.to_owned()));
            }
            _ => {
                return Err(format!("{argument:?} is none of name=value, picture:, marker: and bext:").into());
            }
        }
    }
    let plan = plan(&&*old, &edit, None)?;
    println!("{}", if plan.in_place().is_some() { "in place" } else { "as a whole" });
    std::fs::write(copy, plan.apply(&&*old)?)?;
    Ok(())
}
