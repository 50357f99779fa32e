//! The files that `export`, `report` and `predict --show=FILE` write: what may be in their place, and standard
//! output.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::process::{Command, Output, Stdio};

use crate::sandbox::{Sandbox, program};

/// Command without its file, the flag for the file, and how the file begins.
const COMMANDS: [(&str, &str, &[u8]); 3] = [
    ("export run --force", "", b"\x08"),
    ("report run --device cpu --force", "--out=", b"<!DOCTYPE html>"),
    ("predict run picture.png --device cpu", "--show=", b"\x89PNG"),
];

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --max-steps 2 --out run");
    image::GrayImage::from_fn(8, 8, |x, y| image::Luma([if x == y { 255 } else { 0 }]))
        .save(sandbox.path("picture.png"))
        .unwrap();
    sandbox
}

fn output(mut command: Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_written() {
    let sandbox = sandbox();
    fs::create_dir(sandbox.path("deep")).unwrap();
    for (index, (command, flag, begins)) in COMMANDS.into_iter().enumerate() {
        let replaces = command.contains("--force");
        // (link, its target, the file)
        let rows = [("dangling", "deep/new", "deep/new"), ("plain", "old", "old"), ("twice", "plain", "old")];
        for (link, says, file) in rows {
            let [link, says, file] = [link, says, file].map(|name| format!("{name}-{index}"));
            symlink(&says, sandbox.path(&link)).unwrap();
            if file.starts_with("old") {
                fs::write(sandbox.path(&file), "mine").unwrap();
                fs::set_permissions(sandbox.path(&file), fs::Permissions::from_mode(0o640)).unwrap();
            }
            let args = format!("{command} {flag}{link}");
            if file.starts_with("old") {
                let unforced = args.replace(" --force", "");
                sandbox.fail(&unforced, 1, &[&format!("`{link}`"), "already exists"]);
                assert_eq!(sandbox.text(&file), "mine");
            }
            if replaces || !file.starts_with("old") {
                sandbox.succeed(&args);
                assert!(fs::read(sandbox.path(&file)).unwrap().starts_with(begins), "{args}");
            }
            assert_eq!(fs::read_link(sandbox.path(&link)).unwrap().to_str(), Some(says.as_str()), "{args}");
        }
        let mode = fs::metadata(sandbox.path(&format!("old-{index}"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{command}");
    }
    assert_eq!(sandbox.list("deep"), ["new-0", "new-1", "new-2"]);
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let sandbox = sandbox();
    assert!(Command::new("mkfifo").arg(sandbox.path("pipe")).status().unwrap().success());
    fs::write(sandbox.path("read-only"), "mine").unwrap();
    fs::set_permissions(sandbox.path("read-only"), fs::Permissions::from_mode(0o444)).unwrap();
    let links =
        [("to-pipe", "pipe"), ("circle", "circle"), ("to-folder", "data"), ("nowhere", "no/such/file")];
    links.iter().for_each(|(link, target)| symlink(target, sandbox.path(link)).unwrap());
    let before = sandbox.list("");
    let rows = [
        ("pipe", "`pipe` is a pipe, not a regular file"),
        ("to-pipe", "`to-pipe`, a symbolic link to `pipe`, is a pipe"),
        ("/dev/null", "`/dev/null` is a device, not a regular file"),
        ("circle", "cannot be written: Too many levels of symbolic links"),
        ("data", "`data` is a folder"),
        ("to-folder", "`to-folder`, a symbolic link to `data`, is a folder"),
        ("nowhere", "a symbolic link to `no/such/file`, cannot be written: No such file"),
        ("read-only", "`read-only` is read-only"),
        ("run/weights.safetensors", "`run/weights.safetensors` is a file of the run itself"),
    ];
    for (command, flag, _) in COMMANDS {
        for (place, said) in rows {
            sandbox.fail(&format!("{command} {flag}{place}"), 1, &[said]);
        }
    }
    assert!(fs::metadata(sandbox.path("pipe")).unwrap().file_type().is_fifo());
    assert_eq!(sandbox.text("read-only"), "mine");
    assert_eq!(sandbox.list(""), before, "something is left");
    sandbox.succeed("evaluate run --device cpu");
}

#[test]
fn standard_output_gets_the_file_and_nothing_else() {
    let sandbox = sandbox();
    for (command, flag, begins) in COMMANDS {
        let name = "file.whole";
        sandbox.succeed(&format!("{command} {flag}{name}"));
        let whole = fs::read(sandbox.path(name)).unwrap();
        assert!(whole.starts_with(begins), "{command}");
        fs::remove_file(sandbox.path(name)).unwrap();
        symlink("/dev/stdout", sandbox.path("link")).unwrap();
        for place in ["-", "/dev/stdout", "/dev/fd/1", "link"] {
            let args = format!("{command} {flag}{place}");
            let streamed = output(sandbox.command(&args));
            assert!(streamed.stdout == whole, "{args}: {} bytes", streamed.stdout.len());
            let said = String::from_utf8(streamed.stderr).unwrap();
            let expected =
                if command.starts_with("predict") { "picture.png: " } else { "Wrote standard output: " };
            assert!(said.contains(expected), "{args}: {said}");
        }
        // The file is created by the shell's `>`, so there is nothing to replace.
        let args = format!("{command} {flag}/dev/stdout").replace(" --force", "");
        let mut shell = Command::new("sh");
        let script = format!("exec {} {args} > redirected", program().display());
        output(std::mem::replace(
            shell.args(["-c", &script]).current_dir(sandbox.path("")),
            Command::new("true"),
        ));
        assert!(fs::read(sandbox.path("redirected")).unwrap() == whole, "{args}");
        fs::remove_file(sandbox.path("link")).unwrap();
    }
    // Predictions as JSON go to standard error as well, and plots are still files.
    let streamed = output(sandbox.command("predict run picture.png --device cpu --json --show=-"));
    let said = String::from_utf8(streamed.stderr).unwrap();
    assert!(streamed.stdout.starts_with(b"\x89PNG"), "{said}");
    assert!(said.lines().any(|line| line.starts_with("{\"image\"")), "{said}");
    let streamed = output(sandbox.command("report run --device cpu --out - --plots plots"));
    assert!(streamed.stdout.ends_with(b"</html>\n") && sandbox.list("plots").len() == 3);
    assert!(!sandbox.path("-").exists() && !sandbox.path("run/report.html").exists());
}

/// `-` is a file, too, when it is given with its folder; and a reader that leaves early does not get the whole
/// output.
#[test]
fn a_stream_that_ends_early_is_an_error() {
    let sandbox = sandbox();
    sandbox.succeed("export run ./-");
    assert!(sandbox.path("-").exists());
    let mut child = sandbox
        .command("report run --device cpu --out -")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("error: standard output cannot be written: Broken pipe"), "{said}");
}

#[test]
fn a_page_and_plots_that_are_not_ours_stay() {
    let sandbox = sandbox();
    fs::write(sandbox.path("run/report.html"), "<html>mine</html>").unwrap();
    for flags in ["", "--force"] {
        let said = ["`run/report.html` already exists, but is not a page of `report`", "--out"];
        sandbox.fail(&format!("report run --device cpu {flags}"), 1, &said);
        assert_eq!(sandbox.text("run/report.html"), "<html>mine</html>");
    }
    // A name that was given explicitly is meant.
    sandbox.succeed("report run --device cpu --out run/report.html --force --plots plots");
    sandbox.succeed("report run --device cpu");

    for mine in ["mine", "<svg width=\"480\" height=\"300\" viewBox=\"0 0 480 300\" xmlns=\"\"></svg>"] {
        fs::write(sandbox.path("plots/step_loss.svg"), mine).unwrap();
        let before = fs::metadata(sandbox.path("plots/loss.svg")).unwrap().modified().unwrap();
        let said = ["`plots/step_loss.svg` already exists, but is not a plot of `report`", "--plots"];
        sandbox.fail("report run --device cpu --plots plots --force", 1, &said);
        assert_eq!(sandbox.text("plots/step_loss.svg"), mine);
        assert_eq!(fs::metadata(sandbox.path("plots/loss.svg")).unwrap().modified().unwrap(), before);
    }
    fs::remove_file(sandbox.path("plots/step_loss.svg")).unwrap();
    sandbox.succeed("report run --device cpu --plots plots --force");
    assert_eq!(sandbox.list("plots"), ["accuracy.svg", "loss.svg", "step_loss.svg"]);
}
