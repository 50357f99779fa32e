//! `completions` and `man`: what packagers take.

use crate::sandbox::Sandbox;

/// Every command, and so every page.
const COMMANDS: [&str; 16] = [
    "bench",
    "completions",
    "crossval",
    "data",
    "devices",
    "evaluate",
    "explain",
    "export",
    "import",
    "layers",
    "lr-find",
    "man",
    "predict",
    "report",
    "train",
    "verify",
];

#[test]
fn every_shell_completes_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = sandbox.succeed(&format!("completions {shell}")).stdout;
        for word in COMMANDS.iter().chain(&["early-stopping", "micro-batches"]) {
            assert!(text.contains(word), "{shell}: {word} is missing");
        }
    }
    sandbox.fail("completions tcsh", 2, &["tcsh", "bash", "zsh"]);
}

#[test]
fn every_command_has_a_page() {
    let sandbox = Sandbox::new();
    sandbox.succeed("man pages/man1");
    let mut expected: Vec<_> = COMMANDS.iter().map(|command| format!("shadegrad-{command}.1")).collect();
    expected.push("shadegrad.1".to_owned());
    assert_eq!(sandbox.list("pages/man1"), expected);
    let page = sandbox.text("pages/man1/shadegrad-train.1");
    assert!(page.contains(".SH OPTIONS") && page.contains("validation"), "{page}");
    // A file in the place of the folder.
    sandbox.fail("man model.toml", 1, &["model.toml", "man pages"]);
}
