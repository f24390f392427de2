//! The laws that every input must obey, one function for each fuzz target.

use restage::catalog::Catalog;
use restage::config::Options;
use restage::context::Context;
use restage::model::check::check;
use restage::model::image::Reference;
use restage::pipeline::{self, Outcome, Selection, Settings};
use restage::source::Span;
use restage::syntax::variables::{self, Lookup};
use restage::syntax::{Dockerfile, View, decode, problems};
use restage::transforms;

/// The items tile the text, printing gives it back, and everything that is said of an instruction lies inside it.
pub fn parser(bytes: &[u8]) {
    let Ok(source) = decode(bytes) else { return };
    let file = Dockerfile::parse(source);
    assert_eq!(file.print(), source);
    let mut at = if source.starts_with('\u{feff}') { 3 } else { 0 };
    for item in &file.items {
        assert_eq!(item.span.start, at);
        assert!(item.span.end > at && item.end_line >= item.start_line);
        at = item.span.end;
    }
    assert_eq!(at, source.len());
    for (index, instruction) in file.instructions() {
        let reading = file.read(instruction);
        let item = file.items[index].span;
        let inside = |span: Span| assert!(item.start <= span.start && span.start <= span.end && span.end <= item.end);
        inside(instruction.body);
        inside(instruction.keyword_span);
        inside(reading.arguments);
        reading.words.iter().for_each(|w| inside(w.span));
        reading.flags.iter().for_each(|f| inside(f.span));
        instruction.heredocs.iter().for_each(|h| inside(h.content.cover(h.terminator)));
        let _ = View::of(instruction.keyword, &reading);
    }
    if file.errors.is_empty() && problems(&file).is_empty() {
        let _ = check(&file);
    }
}

fn run(source: &str) -> Outcome {
    let all = ["all".to_owned()];
    let selection = Selection::resolve(transforms::all(), &all, &[], false).expect("the group `all` exists");
    let options = Options::default();
    let settings =
        Settings { transforms: transforms::all(), selection: &selection, options: &options, catalog: Catalog::built_in(), recipes: &[] };
    pipeline::run(source, &Context::none(), settings)
}

fn wrong(source: &str) -> usize {
    let file = Dockerfile::parse(source);
    file.errors.len() + problems(&file).len()
}

/// What all transforms make of a valid file is valid, has no change left in it, and no transform was dropped for a bug.
pub fn pipeline(bytes: &[u8]) {
    let Ok(source) = decode(bytes) else { return };
    if source.len() > 20_000 || wrong(source) > 0 {
        return;
    }
    let once = run(source);
    assert_eq!(wrong(&once.text), 0, "valid before, not behind:\n{}", once.text);
    assert_eq!(run(&once.text).text, once.text, "a second run changes more");
    parser(once.text.as_bytes());
    if let Some(bug) = once.refusals.iter().find(|r| r.bug) {
        panic!("{}: {}", bug.transform, bug.reason);
    }
}

/// Variables lie inside the text, in order or nested, and expansion gives an answer for any values.
pub fn variables(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for escape in ['\\', '`'] {
        for variable in variables::variables(text, escape) {
            assert!(variable.span.text(text).starts_with('$'));
            assert!(variable.operand.is_none_or(|o| variable.span.start < o.start && o.end < variable.span.end));
        }
        let value = text.chars().rev().take(40).collect::<String>();
        for lookup in [Lookup::Unset, Lookup::Unknown, Lookup::Known(String::new()), Lookup::Known(value)] {
            let _ = variables::expand(text, escape, &|_| lookup.clone());
            let _ = variables::expand_content(text, &|_| lookup.clone());
        }
        let _ = variables::unquote(text, escape);
    }
}

/// A reference that is printed and read again is the same.
pub fn image(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(reference) = Reference::parse(text) {
        let printed = reference.to_string();
        assert_eq!(Reference::parse(&printed).as_ref(), Some(&reference), "{text:?} printed as {printed:?}");
        let _ = Catalog::built_in().image(&reference);
    }
}
