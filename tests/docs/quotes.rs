//! Blocks of code: Rust, which doctests compile, WGSL, JavaScript, and the names of files.

use std::fs;
use std::path::{Path, PathBuf};

use naga::valid::{Capabilities, ValidationFlags, Validator};

use crate::blocks::{Block, root};

/// A quote of the file that a block names.
const QUOTE: &str = "a quote of the file that it names, whose lines are there";

/// Whether the block quotes a file of this kind. Every line stands in that file, however far it is indented; `...` stands for others.
///
/// Errors: a file or a line that is not there.
fn quotes(block: &Block, extension: &str) -> Result<bool, String> {
    let Some(source) = block.source.as_deref().filter(|source| source.ends_with(extension)) else {
        return Ok(false);
    };
    let is_left_out = |line: &str| line.is_empty() || line.trim_start_matches("// ") == "...";
    let quoted = block.text.lines().map(str::trim).filter(|line| !is_left_out(line));
    stand_in_file(quoted, source).map(|()| true)
}

fn stand_in_file<'a>(mut lines: impl Iterator<Item = &'a str>, source: &str) -> Result<(), String> {
    let text = fs::read_to_string(root().join(source)).map_err(|error| format!("{source}: {error}"))?;
    match lines.find(|line| !text.lines().any(|other| other.trim() == *line)) {
        Some(line) => Err(format!("{source} has no line `{line}`")),
        None => Ok(()),
    }
}

/// A change to a file: what it takes away, and what it leaves, stands there.
pub fn check_diff(block: &Block) -> Result<&'static str, String> {
    let source = block.source.as_deref().ok_or("it does not name its file: ```diff FILE")?;
    let old = block.text.lines().filter(|line| line.starts_with(['-', ' ']));
    let old: Vec<&str> = old.map(|line| line[1..].trim()).filter(|line| !line.is_empty()).collect();
    if old.is_empty() {
        return Err("it takes nothing away, so nothing says where it belongs".to_owned());
    }
    stand_in_file(old.into_iter(), source).map(|()| "a change whose old lines are in its file")
}

/// The files below a folder whose names end with this.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(extension) {
                found.push(path);
            }
        }
    }
    found
}

/// Whether one of these files has the whole text of the block.
fn stands_in(block: &Block, folder: &str, extension: &str) -> bool {
    let has =
        |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| text.contains(block.text.trim_end()));
    files(folder, extension).iter().any(has)
}

/// The Markdown files whose blocks doctests compile: `src/lib.rs` includes them.
pub fn doctested() -> Vec<String> {
    let library = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let included = library.split("#[doc = include_str!(\"../").skip(1);
    included.filter_map(|rest| rest.split_once("\")]")).map(|(path, _)| path.to_owned()).collect()
}

pub fn check_rust(block: &Block) -> Result<&'static str, String> {
    if doctested().contains(&block.file) {
        return Ok("compiled as a doctest");
    }
    if quotes(block, ".rs")? {
        return Ok(QUOTE);
    }
    if stands_in(block, "src", ".rs") || stands_in(block, "examples", ".rs") {
        return Ok("a quote of a file in src or examples");
    }
    Err("no doctest compiles it, and no file has it: include the document at the end of src/lib.rs, or quote a file".to_owned())
}

pub fn check_wgsl(block: &Block) -> Result<&'static str, String> {
    if quotes(block, ".wgsl")? {
        return Ok(QUOTE);
    }
    if stands_in(block, "shaders", ".wgsl") {
        return Ok("a quote of a file in shaders");
    }
    let module =
        naga::front::wgsl::parse_str(&block.text).map_err(|error| error.emit_to_string(&block.text))?;
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
    validator
        .validate(&module)
        .map(|_| "validated by naga")
        .map_err(|error| error.emit_to_string(&block.text))
}

/// Every name that is imported or called stands in what the package exports.
pub fn check_js(block: &Block) -> Result<&'static str, String> {
    let exported =
        fs::read_to_string(root().join("web/package/index.d.ts")).map_err(|error| error.to_string())?;
    // Of the page, not of the package.
    let of_pages =
        ["fetch", "text", "json", "arrayBuffer", "querySelector", "getContext", "getImageData", "log"];
    let mut names = 0;
    for piece in block.text.split('.').skip(1) {
        let name: String = piece.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        if piece[name.len()..].starts_with('(') && !of_pages.contains(&name.as_str()) {
            if !exported.contains(&format!("{name}(")) {
                return Err(format!("index.d.ts of the package has no `{name}(`"));
            }
            names += 1;
        }
    }
    if names == 0 {
        Err("it calls nothing of the package".to_owned())
    } else {
        Ok("its calls are in index.d.ts")
    }
}

/// A list of what stands where: the first word of each line is a file or folder.
pub fn check_paths(block: &Block) -> Result<&'static str, String> {
    for line in block.text.lines().filter(|line| !line.trim().is_empty()) {
        let word = line.split_whitespace().next().unwrap_or_default();
        let exists = |path: &str| Path::new(root()).join(path).exists();
        if !exists(word) && !exists(&format!("{word}.rs")) {
            return Err(format!("{word} is not there"));
        }
    }
    Ok("a list of paths, which are there")
}

#[test]
fn wrong_code_is_found() {
    let block = |text: &str, source: Option<&str>| Block {
        file: "x.md".to_owned(),
        line: 1,
        language: String::new(),
        text: text.to_owned(),
        source: source.map(str::to_owned),
    };
    assert!(
        check_rust(&block("let no_file_has_this = 1;\n".replace("has", "can_have").as_str(), None)).is_err()
    );
    assert!(check_rust(&block("x", Some("src/no_such_file.rs"))).is_err());
    assert!(check_rust(&block("x", Some("src/lib.rs"))).is_err());
    assert!(check_rust(&block("  mod files;\n// ...\nmod wait;\n", Some("src/lib.rs"))).is_ok());
    assert!(check_diff(&block("-mod files;\n+mod fills;\n", Some("src/lib.rs"))).is_ok());
    assert!(check_diff(&block("-mod fills;\n+mod files;\n", Some("src/lib.rs"))).is_err());
    assert!(check_diff(&block("+mod fills;\n", Some("src/lib.rs"))).is_err());
    assert!(check_wgsl(&block("fn f() -> u32 { return 1.5; }\n", None)).is_err());
    assert!(check_wgsl(&block("fn f() -> u32 { return 1u; }\n", None)).is_ok());
    assert!(check_js(&block("await engine.openAll();\n", None)).is_err());
    assert!(check_paths(&block("src/nowhere  a module\n", None)).is_err());
}
