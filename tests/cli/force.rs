//! `train --force`: what a run wrote is replaced, and nothing else is touched.

use std::fs;
use std::path::Path;

use crate::sandbox::{MODEL, Sandbox};

const TRAIN: &str = "train --model model.toml --data data --device cpu --epochs 1";

fn write(sandbox: &Sandbox, file: &str, content: &str) {
    fs::create_dir_all(sandbox.path(file).parent().unwrap()).unwrap();
    fs::write(sandbox.path(file), content).unwrap();
}

#[test]
fn a_folder_that_holds_no_run_is_refused() {
    let sandbox = Sandbox::new();
    // (files, content of the first, what is named besides the folder)
    let rows: [(&[&str], &str, &[&str]); 8] = [
        (&["notes.txt"], "mine", &["`notes.txt`"]),
        (&["checkpoints/best.pt"], "mine", &["`checkpoints`"]),
        (&["report.html", "checkpoints/step-00000001/model.toml"], "mine", &["`checkpoints`, `report.html`"]),
        (&["weights.safetensors", "history.csv"], "mine", &["`history.csv`, `weights.safetensors`"]),
        // A model file may be written by hand, and a folder may be copied from elsewhere.
        (&["model.toml"], MODEL, &["`model.toml`"]),
        (&["model.toml", "weights.safetensors", "checkpoints/a/b"], MODEL, &["`checkpoints`, `model.toml`"]),
        (&["result.json", "model.toml"], "{\"mine\": 1}", &["`model.toml`, `result.json`"]),
        (&["fold-1/history.jsonl", "crossval.json"], "{}", &["`crossval.json`, `fold-1`"]),
    ];
    for (index, (files, content, named)) in rows.into_iter().enumerate() {
        let out = format!("out-{index}");
        for (at, file) in files.iter().enumerate() {
            write(&sandbox, &format!("{out}/{file}"), if at == 0 { content } else { "mine" });
        }
        let said = format!("`{out}` is not empty and holds no run that `force` could replace");
        // And it is not advised either.
        for flag in ["--force", ""] {
            let said = [&[said.as_str(), "--out"], named].concat();
            sandbox.fail(&format!("{TRAIN} --out {out} {flag}"), 1, &said);
        }
        for (at, file) in files.iter().enumerate() {
            let left = sandbox.text(&format!("{out}/{file}"));
            assert_eq!(left, if at == 0 { content } else { "mine" }, "{out}/{file}");
        }
    }
}

#[test]
fn what_lies_beside_a_run_stays() {
    let sandbox = Sandbox::new();
    let mine = [
        "notes.txt",
        "report.html",
        "checkpoints/notes.txt",
        "checkpoints/.notes.tmp",
        "checkpoints/mine/model.toml",
        "checkpoints/step-00000000/notes.txt",
        "checkpoints/step-00000008/notes.txt",
    ];
    for trained in ["--max-steps 8 --batch-size 5", "--no-checkpoints"] {
        let first = format!("{TRAIN} --out out {trained}");
        sandbox.succeed(&first);
        mine.iter().for_each(|file| write(&sandbox, &format!("out/{file}"), "mine"));
        write(&sandbox, "out/.result.json.12.tmp", "{");
        sandbox.succeed(&format!("{TRAIN} --seed 7 --batch-size 20 --out out --force"));
        for file in mine {
            assert_eq!(sandbox.text(&format!("out/{file}")), "mine", "{file}");
        }
        let own = |folder: &str| {
            let mut names = sandbox.list(folder);
            names.retain(|name| !mine.contains(&format!("{folder}/{name}").trim_start_matches("out/")));
            names
        };
        assert_eq!(sandbox.json("out/result.json")["seed"], 7);
        let names =
            "checkpoints history.csv history.jsonl model.toml result.json steps.jsonl weights.safetensors";
        assert_eq!(own("out").join(" "), names);
        assert_eq!(
            own("out/checkpoints"),
            ["mine", "step-00000000", "step-00000002", "step-00000008"],
            "the one of step 8 holds a file that no run wrote"
        );
        assert_eq!(own("out/checkpoints/step-00000008"), [""; 0]);
        assert_eq!(sandbox.list("out/checkpoints/step-00000000").len(), 6);
        fs::remove_dir_all(sandbox.path("out")).unwrap();
    }
}

/// The page that `report` wrote is removed with its run, with or without the mark that later pages have.
#[test]
fn a_page_goes_with_its_run_if_it_is_ours() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --out out"));
    let unmarked = |page: String| {
        let (start, rest) = page.split_once("<meta name=\"generator\"").unwrap();
        format!("{start}{}", rest.split_once('\n').unwrap().1)
    };
    for marked in [true, false] {
        sandbox.succeed("report out --device cpu");
        let page = sandbox.text("out/report.html");
        write(&sandbox, "out/report.html", &if marked { page } else { unmarked(page) });
        sandbox.succeed(&format!("{TRAIN} --out out --force"));
        assert!(!sandbox.path("out/report.html").exists(), "{marked}");
    }
}

#[test]
fn a_run_that_was_killed_early_can_be_replaced() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --out out"));
    // (what is removed, what is left of it)
    let rows: [(&[&str], &[&str]); 4] = [
        (&["result.json", "weights.safetensors", "history.csv"], &["checkpoints"]),
        (&["checkpoints"], &["model.toml", "steps.jsonl", "history.jsonl"]),
        (&["model.toml"], &["steps.jsonl", "history.jsonl"]),
        (&["steps.jsonl"], &["history.jsonl"]),
    ];
    for (gone, left) in rows {
        for name in gone {
            let path = sandbox.path("out").join(name);
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        let copy =
            |name: &str| write(&sandbox, &format!("copy/{name}"), &sandbox.text(&format!("out/{name}")));
        sandbox.list("out").iter().filter(|name| *name != "checkpoints").for_each(|name| copy(name));
        if left.contains(&"checkpoints") {
            let step = "checkpoints/step-00000000";
            sandbox.list(&format!("out/{step}")).iter().filter(|name| name.ends_with(".toml")).for_each(
                |name| {
                    copy(&format!("{step}/{name}"));
                },
            );
        } else if !left.contains(&"model.toml") {
            // They are there, and empty, before the model file.
            left.iter().for_each(|name| write(&sandbox, &format!("copy/{name}"), ""));
            write(&sandbox, "copy/.model.toml.77.tmp", "name");
        }
        sandbox.succeed(&format!("{TRAIN} --out copy --force"));
        assert!(sandbox.path("copy/result.json").exists());
        assert!(!sandbox.path("copy/.model.toml.77.tmp").exists());
        fs::remove_dir_all(sandbox.path("copy")).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn links_are_neither_followed_nor_replaced() {
    let sandbox = Sandbox::new();
    let names = [
        "model.toml",
        "weights.safetensors",
        "steps.jsonl",
        "history.jsonl",
        "history.csv",
        "result.json",
        "checkpoints",
        "checkpoints/step-00000000",
        "checkpoints/step-00000001/state.toml",
    ];
    sandbox.succeed(&format!("{TRAIN} --batch-size 40 --out out"));
    fs::create_dir(sandbox.path("elsewhere")).unwrap();
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    for name in names {
        let (place, theirs) = (sandbox.path("out").join(name), sandbox.path("elsewhere/theirs"));
        fs::rename(&place, &theirs).unwrap();
        std::os::unix::fs::symlink(&theirs, &place).unwrap();
        let held = (size(&theirs), sandbox.list("out"), sandbox.list("out/checkpoints"));
        let said = format!("`out/{name}` is a symbolic link");
        sandbox.fail(&format!("{TRAIN} --out out --force"), 1, &[&said, "move it away", "--out"]);
        assert_eq!((size(&theirs), sandbox.list("out"), sandbox.list("out/checkpoints")), held, "{name}");
        assert_eq!(fs::read_link(&place).unwrap(), theirs);
        fs::remove_file(&place).unwrap();
        fs::rename(&theirs, &place).unwrap();
    }
    // A link with a name that no run writes does not matter, and training does not replace a page.
    std::os::unix::fs::symlink("../elsewhere", sandbox.path("out/plots")).unwrap();
    write(&sandbox, "elsewhere/page.html", "mine");
    std::os::unix::fs::symlink("../elsewhere/page.html", sandbox.path("out/report.html")).unwrap();
    sandbox.succeed(&format!("{TRAIN} --out out --force"));
    assert_eq!(sandbox.text("out/report.html"), "mine");
    assert!(sandbox.path("out/plots").is_symlink() && sandbox.path("out/report.html").is_symlink());
}

/// Folders copied with hard links share the files of the run that is replaced.
#[cfg(unix)]
#[test]
fn a_copy_by_hard_links_keeps_its_files() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --out out"));
    fs::create_dir(sandbox.path("copy")).unwrap();
    let files =
        ["model.toml", "steps.jsonl", "history.jsonl", "history.csv", "result.json", "weights.safetensors"];
    let linked = |file: &str| fs::hard_link(sandbox.path("out").join(file), sandbox.path("copy").join(file));
    files.iter().for_each(|file| linked(file).unwrap());
    let before = files.map(|file| fs::read(sandbox.path("copy").join(file)).unwrap());
    sandbox.succeed(&format!("{TRAIN} --seed 3 --batch-size 20 --out out --force"));
    assert!(files.map(|file| fs::read(sandbox.path("copy").join(file)).unwrap()) == before);
}

#[test]
fn a_checkpoint_takes_nothing_of_the_users_with_it() {
    let sandbox = Sandbox::new();
    sandbox.succeed(&format!("{TRAIN} --batch-size 40 --out out"));
    let mine = [".notes.tmp", "step-00000000/notes.txt", ".step-mine.7.tmp/notes.txt", "step-00000099"];
    mine.iter().for_each(|file| write(&sandbox, &format!("out/checkpoints/{file}"), "mine"));
    write(&sandbox, "out/checkpoints/.step-00000001.7.tmp/state.toml", "ours");
    write(&sandbox, "out/report.html", "mine");
    let resumed = sandbox.succeed("train --resume --out out --epochs 9 --keep-checkpoints 1");
    assert!(resumed.stderr.contains("Resuming from"), "{resumed:?}");
    for file in mine {
        assert_eq!(sandbox.text(&format!("out/checkpoints/{file}")), "mine", "{file}");
    }
    assert_eq!(sandbox.text("out/report.html"), "mine");
    assert_eq!(sandbox.list("out/checkpoints/step-00000000"), ["notes.txt"]);
    assert!(!sandbox.path("out/checkpoints/.step-00000001.7.tmp").exists());
}
