//! What the code says of structs and enums: their docs, and those of their fields.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// A field of a struct, or a variant of an enum.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    pub(super) name: String,
    /// As it is written; empty for variants.
    pub(super) of_type: String,
    pub(super) docs: String,
    /// Its attributes.
    pub(super) attributes: String,
    /// The fields of a variant.
    pub(super) members: Vec<Member>,
}

/// The text of every source file.
fn sources() -> &'static [String] {
    static TEXTS: OnceLock<Vec<String>> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let mut texts = Vec::new();
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
        texts
    })
}

fn read(folder: &Path, texts: &mut Vec<String>) {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            read(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
}

/// The struct or enum of this name that a model file can hold: with its fields or variants, and what is said of itself.
pub(super) fn item(name: &str) -> Member {
    let is_head = |line: &str| {
        let words = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        let rest = words.strip_prefix("struct ").or_else(|| words.strip_prefix("enum "));
        rest.and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| line.ends_with('{') && rest.starts_with([' ', '<', '{']))
    };
    let mut found = Vec::new();
    for text in sources() {
        let lines: Vec<&str> = text.lines().collect();
        for at in (0..lines.len()).filter(|&at| is_head(lines[at])) {
            let begin = (0..at).rev().find(|&line| lines[line].trim().is_empty()).map_or(0, |line| line + 1);
            if lines[begin..at].iter().any(|line| line.contains("erialize") || name == "Initializer") {
                found.push(parse(&lines[begin..at], &lines[at + 1..]));
            }
        }
    }
    assert_eq!(found.len(), 1, "structs and enums that are called {name} and can be read");
    Member { name: name.to_owned(), ..found.remove(0) }
}

/// From the lines before the head, and those behind it.
fn parse(before: &[&str], behind: &[&str]) -> Member {
    let is_doc = |line: &&&str| line.trim_start().starts_with("///");
    let docs: Vec<&str> = before.iter().filter(is_doc).map(|line| line.trim()).collect();
    let attributes: Vec<&str> = before.iter().filter(|line| !is_doc(line)).map(|line| line.trim()).collect();
    let mut lines = behind.iter().map(|line| line.trim());
    Member {
        docs: text_of(&docs),
        attributes: attributes.join(" "),
        members: members(&mut lines),
        ..Member::default()
    }
}

/// Members up to the closing brace.
fn members<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<Member> {
    let (mut found, mut docs, mut attributes) = (Vec::new(), Vec::new(), String::new());
    while let Some(line) = lines.next() {
        if line.starts_with('}') {
            break;
        }
        let open = attributes.matches('[').count() > attributes.matches(']').count();
        if line.starts_with("///") {
            docs.push(line);
        } else if line.starts_with("#[") || open {
            attributes += line;
        } else if !line.is_empty() && !line.starts_with("//") && !line.starts_with('$') {
            let line = line.trim_start_matches("pub ").trim_end_matches(',');
            let (name, of_type) = line.split_once(": ").unwrap_or((line, ""));
            let inner = if line.ends_with(" {") { members(lines) } else { Vec::new() };
            found.push(Member {
                name: name.split(['(', ' ']).next().unwrap_or_default().to_owned(),
                of_type: of_type.to_owned(),
                docs: text_of(&docs),
                attributes: std::mem::take(&mut attributes),
                members: inner,
            });
            docs.clear();
        }
    }
    found
}

/// The docs without links and without what stands in code blocks.
fn text_of(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for line in lines {
        let line = line.trim_start_matches('/').trim();
        is_code ^= line.starts_with("```");
        if !is_code && !line.starts_with("```") {
            text += if line.is_empty() { "\n" } else { line };
            text += " ";
        }
    }
    unlinked(text.trim())
}

/// `[text](path)` and `[text]` become `text`, unless they are intervals and lists.
fn unlinked(text: &str) -> String {
    let mut rest = text;
    let mut result = String::new();
    while let Some(at) = rest.find("[`") {
        result += &rest[..at];
        let begin = result.len();
        rest = &rest[at + 1..];
        let Some(end) = rest.find("`]") else {
            result.push('[');
            continue;
        };
        result += &rest[..=end];
        rest = &rest[end + 2..];
        if let (true, Some(end)) = (rest.starts_with('('), rest.find(')')) {
            rest = &rest[end + 1..];
        }
        // A link that stands alone in parentheses leads nowhere on a page.
        if result[..begin].ends_with(" (") && rest.starts_with(')') {
            result.truncate(begin - 2);
            rest = &rest[1..];
        }
    }
    result + rest
}
