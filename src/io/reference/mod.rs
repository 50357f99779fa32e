//! `docs/model-file.md`, below its introduction, is made from the code: the docs of the structs that serde reads, the defaults that it
//! writes, the names that it lists in errors. A test compares the page with what it makes, and writes it where `UPDATE_DOCS` is set.
//!
//! The text of the sources is read, not a schema derived from them: `schemars` would be one more dependency and an
//! attribute on sixty types, and could not hold what docs say of defaults to what they are.

mod names;
mod page;
mod rows;
mod source;

use crate::io::ModelFile;

const PAGE: &str = include_str!("../../../docs/model-file.md");
/// What stands above it is written by hand.
const MARK: &str = "<!-- What follows is made from the code: UPDATE_DOCS=1 cargo test --lib model_file -->\n";

#[test]
fn the_page_of_the_model_file_is_made_from_the_code() {
    let (introduction, found) = PAGE.split_once(MARK).expect("the mark");
    let made = page::page();
    let missing = rows::MISSING.lock().unwrap();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/model-file.md");
        std::fs::write(path, format!("{introduction}{MARK}{made}")).unwrap();
        return;
    }
    let differs = found.lines().zip(made.lines()).find(|(found, made)| found != made);
    assert_eq!(differs, None, "the page and the code; UPDATE_DOCS=1 writes the page anew");
    assert_eq!(found.len(), made.len(), "the page and the code; UPDATE_DOCS=1 writes the page anew");
}

/// Every block of TOML in the introduction that is a whole file is one that loads.
#[test]
fn the_examples_of_the_model_file_load() {
    let (introduction, _) = PAGE.split_once(MARK).expect("the mark");
    let blocks = introduction.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let whole: Vec<&str> = blocks.filter(|block| block.contains("input_shape")).collect();
    assert_eq!(whole.len(), 2, "a whole file, and an old one");
    for text in whole {
        let file =
            ModelFile::parse("docs/model-file.md", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(ModelFile::parse("again", &file.to_toml().unwrap()).unwrap(), file);
    }
}
