//! The blocks of code in every Markdown file of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// A fenced block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// From the root of the repository, with `/` between folders.
    pub file: String,
    /// The line of its fence, counted from 1.
    pub line: usize,
    /// What stands behind the fence up to a comma; empty where nothing does.
    pub language: String,
    /// Without the fences and their indentation.
    pub text: String,
    /// The file that it quotes or changes, from the root of the repository: named behind the language, as in `wgsl shaders/a.wgsl`, else
    /// where the last link in the line of text right above leads.
    pub source: Option<String>,
}

impl Block {
    /// For messages.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files of the repository from its root, sorted: all but those that were built or installed, among them what is in the
/// virtual environments of Python that somebody made there.
pub fn markdown_files() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root().join(&folder));
        for entry in entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let entry = entry.expect("an entry of a folder");
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().expect("the kind of an entry");
            let path = folder.join(&name);
            let is_made = ["target", "node_modules", ".git"].contains(&name.as_str())
                || path == Path::new("docs/book/book");
            let is_environment = || root().join(&path).join("pyvenv.cfg").exists();
            if kind.is_dir() && !is_made && !is_environment() {
                folders.push(path);
            } else if kind.is_file() && name.ends_with(".md") {
                found.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// All blocks, in the order of files and lines.
pub fn all() -> Vec<Block> {
    let read = |file: String| {
        let text = fs::read_to_string(root().join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        blocks_of(&file, &text).unwrap_or_else(|problem| panic!("{file}{problem}"))
    };
    markdown_files().into_iter().flat_map(read).collect()
}

/// The indentation and the marks of a line that opens or closes a block, and what follows.
fn fence(line: &str) -> Option<(usize, &str, &str)> {
    let bare = line.trim_start();
    let mark = bare.chars().next().filter(|mark| "`~".contains(*mark))?;
    let marks = bare.len() - bare.trim_start_matches(mark).len();
    let rest = &bare[marks..];
    // A span in a line of text may begin with three as well.
    (marks >= 3 && !rest.contains('`')).then(|| (line.len() - bare.len(), &bare[..marks], rest.trim()))
}

/// The blocks of a file.
///
/// Errors: a block that does not end, and an indented one that begins with a command, with its line: such a block is not found by its
/// language, and would not be run.
pub fn blocks_of(file: &str, text: &str) -> Result<Vec<Block>, String> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    // The last line of text since the last block, and whether a blank one follows it.
    let (mut above, mut is_apart) = ("", true);
    for (number, line) in (1..).zip(text.lines()) {
        match (fence(line), open) {
            (Some((_, marks, "")), Some((_, opened))) if marks.starts_with(opened) => {
                (open, above, is_apart) = (None, "", true);
            }
            (_, Some((indent, _))) => {
                let spaces = line.len() - line.trim_start().len();
                let block = blocks.last_mut().expect("an open block was pushed");
                block.text.push_str(&line[spaces.min(indent)..]);
                block.text.push('\n');
            }
            (Some((indent, marks, info)), None) => {
                let language = info.split([',', ' ']).next().unwrap_or_default().to_owned();
                let named = info.split(' ').nth(1).filter(|word| word.contains('/')).map(str::to_owned);
                let source = named.or_else(|| link_of(file, above));
                let text = String::new();
                blocks.push(Block { file: file.to_owned(), line: number, language, text, source });
                open = Some((indent, marks));
            }
            (None, None) if line.trim().is_empty() => is_apart = true,
            (None, None) => {
                if is_apart && is_indented_command(line) {
                    return Err(format!(
                        ":{number}: commands stand in a fenced block of `sh`, so that they are run"
                    ));
                }
                (above, is_apart) = (line.trim(), false);
            }
        }
    }
    match open {
        Some(_) => Err(format!(":{}: the block does not end", blocks.last().map_or(0, |block| block.line))),
        None => Ok(blocks),
    }
}

fn is_indented_command(line: &str) -> bool {
    const PROGRAMS: [&str; 6] = ["shadegrad", "cargo", "mpirun", "python", "npm", "$"];
    let word = line.strip_prefix("    ").and_then(|line| line.split(' ').next());
    word.is_some_and(|word| PROGRAMS.contains(&word) || word.starts_with("scripts/"))
}

/// Where the last link of a line leads, from the root of the repository; none for addresses.
fn link_of(file: &str, line: &str) -> Option<String> {
    let (_, rest) = line.rsplit_once("](")?;
    let target =
        rest.split([')', '#']).next().filter(|target| !target.is_empty() && !target.contains("://"))?;
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[test]
fn blocks_are_found_with_their_languages_and_links() {
    let text = "\
See [the file](../shaders/a.wgsl#L3):

```wgsl
let x = 1;
```

```rust,no_run
a
  b
```

```diff shaders/b.wgsl
-c
```
1. A list with ``` in its line

   ~~~sh
   $ one
     two
   ~~~
";
    let block = |line, language: &str, text: &str, source: Option<&str>| Block {
        file: "docs/x.md".to_owned(),
        line,
        language: language.to_owned(),
        text: text.to_owned(),
        source: source.map(str::to_owned),
    };
    let expected = vec![
        block(3, "wgsl", "let x = 1;\n", Some("shaders/a.wgsl")),
        block(7, "rust", "a\n  b\n", None),
        block(12, "diff", "-c\n", Some("shaders/b.wgsl")),
        block(17, "sh", "$ one\n  two\n", None),
    ];
    assert_eq!(blocks_of("docs/x.md", text), Ok(expected));
    assert!(blocks_of("x.md", "a\n\n```sh\nb\n").is_err_and(|problem| problem.starts_with(":3:")));
    assert!(blocks_of("x.md", "a\n\n    shadegrad train\n").is_err_and(|problem| problem.starts_with(":3:")));
    assert_eq!(blocks_of("x.md", "- a\n    shadegrad train\n"), Ok(Vec::new()));
}
