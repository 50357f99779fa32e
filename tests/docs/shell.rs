//! Blocks of `sh`: every line that calls the program is run, with a training cut short, in a folder with what documents speak of.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::blocks::{Block, root};
use crate::elsewhere::{FAILING, LINES};
use crate::forms::first_other;
use crate::place::Place;

/// The program, as documents call it.
const CALLS: [&str; 3] = ["cargo run --release -- ", "target/release/shadegrad ", "shadegrad "];
/// What trains on MNIST where no data is named.
const TRAINING: [&str; 3] = ["train", "crossval", "lr-find"];
/// What documents name outside of the folder begins like this, and what stands for it there.
const STAND_INS: [(&str, &str); 2] = [("/usr/share/datasets/", ""), ("/tmp/", "")];
/// What every system has, and only looks at files.
const TOOLS: [&str; 6] = ["cat", "cmp", "diff", "grep", "head", "ls"];
/// Samples where a line asks for more.
const LIMIT: usize = 100;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Done {
    Run,
    RunToItsError,
    /// By one of [`TOOLS`].
    LookedAt,
    ScriptIsThere,
    CargoKnowsIt,
    /// Of a program that a line above installs by cargo.
    Installed,
    /// The row of [`LINES`].
    Elsewhere(usize),
}

/// Runs blocks, and counts what became of their lines.
pub struct Shell {
    place: Place,
    done: RefCell<BTreeMap<Done, usize>>,
    failing: RefCell<BTreeSet<usize>>,
    /// The options of each command, from its help.
    options: RefCell<BTreeMap<String, String>>,
}

/// The commands of a block, with lines that go on joined, and the comment behind each.
pub fn commands_and_comments(text: &str) -> Vec<(String, String)> {
    let joined = text.replace("\\\n", " ");
    let parts = joined.lines().map(|line| {
        let (command, comment) = line.split_at(comment_start(line));
        let words: Vec<&str> = command.split_whitespace().collect();
        (words.join(" "), comment.trim_start_matches('#').trim().to_owned())
    });
    parts.filter(|(command, _)| !command.is_empty()).collect()
}

/// The commands of a block alone.
pub fn commands(text: &str) -> Vec<String> {
    commands_and_comments(text).into_iter().map(|(command, _)| command).collect()
}

/// Where the comment of a line begins; its length where there is none.
fn comment_start(line: &str) -> usize {
    let (mut quoted, mut before) = (None, ' ');
    for (at, c) in line.char_indices() {
        match quoted {
            Some(mark) if mark == c => quoted = None,
            None if c == '#' && before.is_whitespace() => return at,
            None if "'\"".contains(c) => quoted = Some(c),
            _ => {}
        }
        before = c;
    }
    line.len()
}

/// Refuses what a comment says a line leaves, a folder `runs/NAME`, or prints, such as `new.csv:2: 312.4`, where it does not.
fn check_comment(folder: &Path, comment: &str, printed: &str) -> Result<(), String> {
    for part in comment.split("; ") {
        let words: Vec<&str> = part.split(' ').collect();
        let problem = match words[..] {
            [run] if run.starts_with("runs/") => !folder.join(run).is_dir(),
            [place, value] if place.ends_with(':') && value.parse::<f64>().is_ok() => {
                first_other(part, printed).is_some()
            }
            _ => false,
        };
        if problem {
            return Err(format!(
                "the comment says {part}, but there is no such thing; printed was\n{printed}"
            ));
        }
    }
    Ok(())
}

/// What follows where a line calls the program.
fn call(line: &str) -> Option<&str> {
    CALLS.iter().find_map(|call| line.strip_prefix(call))
}

/// A word of a line, with a path outside of the folder replaced by one in it.
fn inside(word: &str) -> String {
    let replaced =
        STAND_INS.iter().find_map(|(start, stand_in)| word.strip_prefix(start).map(|rest| (stand_in, rest)));
    replaced.map_or_else(|| word.to_owned(), |(stand_in, rest)| format!("{stand_in}{rest}"))
}

impl Shell {
    pub fn new() -> Self {
        Shell {
            place: Place::new(),
            done: RefCell::default(),
            failing: RefCell::default(),
            options: RefCell::default(),
        }
    }

    /// Runs the lines of a block, one after another in one folder, and looks at what their comments say they leave or print.
    ///
    /// Errors: the first line that does not do what it should.
    pub fn run(&self, block: &Block) -> Result<(), String> {
        let folder = self.place.folder();
        let mut installed = Vec::new();
        for (line, comment) in commands_and_comments(&block.text) {
            installed.extend(line.strip_prefix("cargo install ").map(|name| format!("{name} ")));
            let run = match installed.iter().any(|name| line.starts_with(name)) {
                true => Ok((Done::Installed, String::new())),
                false => self.line(folder.path(), &line),
            };
            let checked = run
                .and_then(|(done, printed)| check_comment(folder.path(), &comment, &printed).map(|()| done));
            let done = checked.map_err(|problem| format!("{line}\n{problem}"))?;
            *self.done.borrow_mut().entry(done).or_default() += 1;
        }
        Ok(())
    }

    /// Runs the commands of a transcript, and compares what each prints with what stands below it, by form.
    pub fn transcript(&self, block: &Block) -> Result<(), String> {
        let folder = self.place.folder();
        for part in format!("\n{}", block.text).split("\n$ ").skip(1) {
            let (line, shown) = part.split_once('\n').unwrap_or((part, ""));
            let (done, printed) =
                self.line(folder.path(), line).map_err(|problem| format!("{line}\n{problem}"))?;
            if let Some(other) = first_other(shown, &printed) {
                return Err(format!("{line}\nshows\n{other}\nbut prints\n{printed}"));
            }
            *self.done.borrow_mut().entry(done).or_default() += 1;
        }
        Ok(())
    }

    fn line(&self, folder: &Path, line: &str) -> Result<(Done, String), String> {
        if let Some(row) = LINES.iter().position(|(start, _)| line.starts_with(start)) {
            if let Some((_, arguments)) = CALLS.iter().find_map(|call| line.split_once(call)) {
                self.check_options(arguments)?;
            }
            return Ok((Done::Elsewhere(row), String::new()));
        }
        if let Some(arguments) = call(line) {
            return self.program(folder, line, arguments);
        }
        let word = line.split(' ').next().unwrap_or_default();
        if TOOLS.contains(&word) {
            let words: Vec<String> = line.split(' ').map(inside).collect();
            return match self.run_in(folder, &words.join(" "))? {
                (Some(0), printed) => Ok((Done::LookedAt, printed)),
                (code, printed) => Err(format!("it ends with {code:?}:\n{printed}")),
            };
        }
        if word == "cargo" {
            return check_cargo(line).map(|()| (Done::CargoKnowsIt, String::new()));
        }
        if word.starts_with("scripts/") || word.starts_with("benches/") {
            return check_script(line).map(|()| (Done::ScriptIsThere, String::new()));
        }
        Err("nothing here runs or checks this: see tests/docs/elsewhere.rs".to_owned())
    }

    fn program(&self, folder: &Path, line: &str, arguments: &str) -> Result<(Done, String), String> {
        let shortened = self.shortened(arguments)?;
        let (code, printed) =
            self.run_in(folder, &format!("'{}' {shortened}", env!("CARGO_BIN_EXE_shadegrad")))?;
        match FAILING.iter().position(|(failing, _)| *failing == line) {
            Some(row) if code == Some(1) && printed.contains(FAILING[row].1) => {
                self.failing.borrow_mut().insert(row);
                Ok((Done::RunToItsError, printed))
            }
            None if code == Some(0) => Ok((Done::Run, printed)),
            _ => Err(format!("run as `shadegrad {shortened}` it ends with {code:?}:\n{printed}")),
        }
    }

    /// The exit code of a line given to sh, and what it prints.
    fn run_in(&self, folder: &Path, line: &str) -> Result<(Option<i32>, String), String> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(line).current_dir(folder);
        self.place.set_environment(&mut shell);
        let output = shell.output().map_err(|error| error.to_string())?;
        let printed = [&output.stderr, &output.stdout].map(|text| String::from_utf8_lossy(text)).concat();
        Ok((output.status.code(), printed))
    }

    /// The arguments, with the processor for a device, little data, and few steps where nothing is shown of the whole.
    fn shortened(&self, arguments: &str) -> Result<String, String> {
        self.check_options(arguments)?;
        let mut words: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        for word in &mut words {
            *word = inside(word);
        }
        if let Some(at) = words.iter().position(|word| word == "--limit") {
            let limit = words.get(at + 1).and_then(|limit| limit.parse::<usize>().ok());
            words[at + 1] = limit.ok_or("a limit that is no number")?.min(LIMIT).to_string();
        }
        let command = words[0].clone();
        let resumes = words.iter().any(|word| word == "--resume");
        let mut add = |option: &str, value: &str| {
            let given = words.iter().any(|word| word == option || word.starts_with(&format!("{option}=")));
            if !given && !resumes && self.knows(&command, option)? {
                words.splice(1..1, [option.to_owned(), value.to_owned()]);
            }
            Ok::<(), String>(())
        };
        // Kernels are verified on an adapter.
        add("--device", if command == "verify" { "software" } else { "cpu" })?;
        if TRAINING.contains(&command.as_str()) {
            add("--data", "digits")?;
            add("--max-steps", "2")?;
            add("--batches", "5")?;
        }
        Ok(words.join(" "))
    }

    /// Whether a command has an option.
    fn knows(&self, command: &str, option: &str) -> Result<bool, String> {
        let mut known = self.options.borrow_mut();
        if !known.contains_key(command) {
            let help = Command::new(env!("CARGO_BIN_EXE_shadegrad")).args([command, "--help"]).output();
            let help = help.map_err(|error| error.to_string())?;
            if !help.status.success() {
                return Err(format!("there is no command {command}"));
            }
            known.insert(command.to_owned(), String::from_utf8_lossy(&help.stdout).into_owned());
        }
        let ends = |text: &str| !text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        Ok(known[command].split(option).skip(1).any(ends))
    }

    /// Refuses options that the command does not have.
    pub fn check_options(&self, arguments: &str) -> Result<(), String> {
        let mut words = arguments.split(' ');
        let command = words.next().unwrap_or_default();
        for word in words.filter(|word| word.starts_with("--")) {
            let option = word.split('=').next().unwrap_or_default();
            if !self.knows(command, option)? {
                return Err(format!("{command} has no {option}"));
            }
        }
        Ok(())
    }

    /// What became of how many lines, in words; the rows of [`LINES`] and [`FAILING`] that met nothing.
    pub fn counts(&self) -> (String, Vec<String>) {
        let done = self.done.borrow();
        let count = |wanted: &dyn Fn(&Done) -> bool| -> usize {
            done.iter().filter(|(done, _)| wanted(done)).map(|(_, count)| count).sum()
        };
        let mut text = format!(
            "lines of sh: {} run, {} run to their error, {} that look at files, {} scripts that are there, {} that cargo knows, \
             {} of programs that cargo installs, {} elsewhere",
            count(&|done| *done == Done::Run),
            count(&|done| *done == Done::RunToItsError),
            count(&|done| *done == Done::LookedAt),
            count(&|done| *done == Done::ScriptIsThere),
            count(&|done| *done == Done::CargoKnowsIt),
            count(&|done| *done == Done::Installed),
            count(&|done| matches!(done, Done::Elsewhere(_))),
        );
        let mut unmet = Vec::new();
        for (row, (start, reason)) in LINES.iter().enumerate() {
            match done.get(&Done::Elsewhere(row)) {
                Some(count) => text += &format!("\n  {count} of `{start}`: {reason}"),
                None => unmet.push(format!("no line begins with `{start}`")),
            }
        }
        let failing = FAILING.iter().enumerate().filter(|(row, _)| !self.failing.borrow().contains(row));
        unmet.extend(failing.map(|(_, (line, _))| format!("no line is `{line}`")));
        (text, unmet)
    }
}

/// A script is there, can be run, and its text has each option that it is given.
fn check_script(line: &str) -> Result<(), String> {
    let mut words = line.split(' ');
    let script = root().join(words.next().unwrap_or_default());
    let text = fs::read_to_string(&script).map_err(|error| format!("{}: {error}", script.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&script).map_err(|error| error.to_string())?.permissions().mode();
        if mode & 0o111 == 0 {
            return Err("it cannot be executed".to_owned());
        }
    }
    match words.find(|word| word.starts_with("--") && !text.contains(*word)) {
        Some(option) => Err(format!("the script has no {option}")),
        None => Ok(()),
    }
}

/// Features, examples and tests that cargo is told of are there.
fn check_cargo(line: &str) -> Result<(), String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).map_err(|error| error.to_string())?;
    let manifest: toml::Table = toml::from_str(&manifest).map_err(|error| error.to_string())?;
    let words: Vec<&str> = line.split(' ').collect();
    if !["build", "test", "run", "install", "doc", "add"].contains(words.get(1).unwrap_or(&"")) {
        return Err("cargo is asked for something else than to build, test, run or install".to_owned());
    }
    for pair in words.windows(2) {
        let (file, folder) = (root().join("examples").join(format!("{}.rs", pair[1])), root().join("tests"));
        let there = match pair[0] {
            "--features" => manifest["features"].get(pair[1]).is_some(),
            "--example" => file.is_file(),
            "--test" => folder.join(pair[1]).is_dir() || folder.join(format!("{}.rs", pair[1])).is_file(),
            "--path" => root().join(pair[1]).join("Cargo.toml").is_file(),
            _ => true,
        };
        if !there {
            return Err(format!("there is no {} {}", pair[0], pair[1]));
        }
    }
    Ok(())
}

/// What is shown as the output of a block of one command: of the program by form, of a script the titles that it says.
pub fn check_output(shell: &Shell, command: &str, shown: &str) -> Result<(), String> {
    if let Some(arguments) = call(command) {
        let folder = shell.place.folder();
        // More steps than there are: to the end, so that all of it is printed.
        let trains = arguments.starts_with("train") && !arguments.contains("--max-steps");
        let line = format!("{command}{}", if trains { " --max-steps 1000000" } else { "" });
        let (_, printed) = shell.line(folder.path(), &line)?;
        return match first_other(shown, &printed) {
            Some(other) => Err(format!("{command}\nshows\n{other}\nbut prints\n{printed}")),
            None => Ok(()),
        };
    }
    check_script(command)?;
    let script = fs::read_to_string(root().join(command)).map_err(|error| error.to_string())?;
    let told = |line: &&str| match line.strip_prefix("== ") {
        Some(title) => !script.contains(&format!("say \"{title}\"")),
        None => line.split_once(':').is_none_or(|(start, _)| !script.contains(start)),
    };
    shown.lines().find(told).map_or(Ok(()), |line| Err(format!("{command} does not say {line}")))
}

#[test]
fn commands_are_read_as_a_shell_does() {
    let text = "\
# A comment
one --flag  'a # b'   # what it does
two --long \\
    --more
export-like=1 three#four
";
    assert_eq!(commands_and_comments(text)[0].1, "what it does");
    assert_eq!(commands(text), ["one --flag 'a # b'", "two --long --more", "export-like=1 three#four"]);
}

#[test]
fn lines_that_are_wrong_are_found() {
    let shell = Shell::new();
    let folder = shell.place.folder();
    for (line, expected) in [
        ("shadegrad trian", "trian"),
        ("shadegrad train --epoch 3", "train has no --epoch"),
        ("mpirun -n 4 shadegrad train --micro-batch 4", "train has no --micro-batch"),
        ("shadegrad train --model nowhere.toml", "nowhere.toml"),
        ("scripts/nowhere", "nowhere"),
        ("scripts/build-web --no-such-option", "no --no-such-option"),
        ("cargo build --features gpu", "no --features gpu"),
        ("cargo run --example nowhere", "no --example nowhere"),
        ("curl something", "elsewhere.rs"),
    ] {
        let problem = shell.line(folder.path(), line).expect_err(line);
        assert!(problem.contains(expected), "{line}: {problem}");
    }
}

#[test]
fn comments_are_held_to_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("runs/a-1")).unwrap();
    let printed = "x.csv:2: 17.25\n";
    for (comment, is_true) in [
        ("makes a run; runs/a-1", true),
        ("makes a run; runs/a-2", false),
        ("x.csv:2: 3.5", true),
        ("y.csv:2: 3.5", false),
        ("runs/a-2 and others", true),
    ] {
        assert_eq!(check_comment(folder.path(), comment, printed).is_ok(), is_true, "{comment}");
    }
}
