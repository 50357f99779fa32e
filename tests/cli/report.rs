//! `report`.

use std::fs;

use crate::sandbox::{MODEL, Sandbox};

/// The sections of the page, by their ids.
const SECTIONS: [&str; 9] =
    ["curves", "confusion", "classes", "mistakes", "pixels", "filters", "activations", "kernels", "settings"];

/// What would make a browser load something, or run something.
const REQUESTS: [&str; 12] = [
    "https://", "http://", "<script", "<link", "<iframe", "<object", "<embed", "url(", "@import", "srcset=",
    "onload=", "<base",
];

fn trained(model: &str, args: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("model.toml"), model).unwrap();
    sandbox.train(&format!("--device cpu --out out {args}"));
    sandbox
}

/// The page has each section and loads nothing.
fn check(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    // Where the model has no convolution there is nothing to show of its filters.
    let there = SECTIONS.iter().filter(|section| **section != "filters" || page.contains("id=\"filters\""));
    for section in there.clone() {
        assert!(page.contains(&format!("<section id=\"{section}\">")), "no section {section}");
        assert!(page.contains(&format!("<a href=\"#{section}\">")), "no link to {section}");
    }
    assert_eq!(page.matches("href=").count(), there.count(), "links lead to sections only");
    assert_eq!(page.matches("src=").count(), page.matches("src=\"data:image/png;base64,").count());
    let plain = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for request in REQUESTS {
        assert!(!plain.contains(request), "{request} is in the page");
    }
    assert!(page.contains("default-src 'none'"), "browsers are told to load nothing");
}

#[test]
fn a_page_shows_the_run_and_needs_nothing_else() {
    let sandbox = trained(MODEL, "--epochs 2 --validation-split 0.25 --profile");
    let outcome = sandbox.succeed("report out --device cpu --plots plots");
    assert_eq!(outcome.stdout.lines().count(), 4, "{outcome:?}");
    assert!(outcome.last_line().starts_with("Wrote out/report.html: "), "{outcome:?}");
    assert_eq!(sandbox.list("plots"), ["accuracy.svg", "loss.svg", "step_loss.svg"]);

    let page = sandbox.text("out/report.html");
    check(&page);
    for plot in sandbox.list("plots") {
        let svg = sandbox.text(&format!("plots/{plot}"));
        assert!(svg.starts_with("<svg ") && svg.contains("xmlns="), "{plot}");
        assert!(page.contains(&svg), "{plot} is not in the page");
    }
    assert!(sandbox.text("plots/loss.svg").contains("validation"));
    // 12 test images: as many as in the matrix, and as many mistakes as off its diagonal.
    let report: serde_json::Value =
        serde_json::from_str(&sandbox.succeed("evaluate out --json --device cpu").stdout).unwrap();
    let mut wrong = 0;
    for (row, counts) in report["confusion"].as_array().unwrap().iter().enumerate() {
        let counts: Vec<u64> =
            counts.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect();
        wrong += counts.iter().sum::<u64>() - counts[row];
        let cells: String = counts.iter().map(|count| format!(">{count}</td>")).collect();
        let text = strip_cells(&page);
        assert!(text.contains(&format!("<tr><th scope=\"row\">{row}</th>{cells}</tr>")), "{row}: {text}");
    }
    assert_eq!(page.matches(" taken for ").count() as u64, 2 * wrong, "picture and caption of each mistake");
    let pixels = section(&page, "pixels");
    let right = report["confusion"].as_array().unwrap().iter().enumerate();
    let right = right.filter(|(row, counts)| counts[row].as_u64().unwrap() > 0).count() as u64;
    assert_eq!(pixels.matches("<figure>").count() as u64, right + wrong, "each mistake, and each class once");
    assert_eq!(pixels.matches("<img ").count() as u64, 3 * (right + wrong));
    assert_eq!(pixels.matches("</b>, correctly").count() as u64, right);
    assert!(pixels.contains("<code>conv2d</code>"), "the layer that was looked at");
    for text in ["conv2d", "max_pooling2d", "dense", "rmsprop_update", "weights_sha256", "filters = 4"] {
        assert!(page.contains(text), "{text} is missing");
    }
    let steps = sandbox.json("out/profile.json")["steps"].as_array().unwrap().len();
    let kernels = section(&page, "kernels");
    assert_eq!(kernels.matches("class=\"bar\"").count(), steps);
    // A second report gives the same page, in place of the old one; nothing else is left in the folder.
    let before = sandbox.list("out");
    sandbox.succeed("report out --device cpu");
    assert_eq!(sandbox.text("out/report.html"), page);
    assert_eq!(sandbox.list("out"), before);
}

/// What is in a section.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let after = page.split(&format!("<section id=\"{id}\">")).nth(1).unwrap();
    after.split("</section>").next().unwrap()
}

/// The page without the classes and shades of its data cells.
fn strip_cells(page: &str) -> String {
    let mut pieces = page.split("<td ");
    let mut text = pieces.next().unwrap().to_owned();
    for piece in pieces {
        text += piece.find('>').map_or(piece, |at| &piece[at..]);
    }
    text
}

#[test]
fn names_are_text_and_never_markup() {
    let names = r#"class_names = ["<script>alert(1)</script>", "a&b", "\" onload=\"x"]"#;
    let model = MODEL.replace("input_shape", &format!("{names}\ninput_shape"));
    let sandbox = trained(&model, "--max-steps 2");
    sandbox.succeed("report out --device cpu --out page.html");
    let page = sandbox
        .text("page.html")
        .replace("&quot; onload=&quot;x", "")
        .replace("\\&quot; onload=\\&quot;x", "");
    check(&page);
    for text in ["&lt;script&gt;alert(1)&lt;/script&gt;", "a&amp;b"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn what_is_not_known_is_said() {
    let sandbox = trained(MODEL, "--max-steps 2");
    let page = |sandbox: &Sandbox| {
        sandbox.succeed("report out --device cpu --data data");
        let page = sandbox.text("out/report.html");
        check(&page);
        page
    };
    let known = page(&sandbox);
    assert!(known.contains("There was no validation") && known.contains("train --profile"));
    // A folder that was copied from elsewhere may have only a model and weights.
    for file in ["history.jsonl", "steps.jsonl", "result.json"] {
        fs::remove_file(sandbox.path("out").join(file)).unwrap();
    }
    let unknown = page(&sandbox);
    assert!(unknown.contains("no history of a training") && unknown.contains("no result.json"));

    let dense = "name = \"flat\"\ninput_shape = [8, 8, 1]\n[[layers]]\ntype = \"Flatten\"\n\
        [[layers]]\ntype = \"Dense\"\nunits = 3\nactivation = \"softmax\"\n";
    let sandbox = trained(dense, "--max-steps 2");
    let dense = page(&sandbox);
    assert!(!dense.contains("id=\"filters\""));
    let pixels = section(&dense, "pixels");
    assert!(pixels.contains("no convolution for Grad-CAM"));
    assert_eq!(pixels.matches("<img ").count(), 2 * pixels.matches("<figure>").count());
}

/// The most bytes of a page, whatever the model is.
const LARGEST: usize = 3_000_000;

#[test]
fn a_page_of_very_much_stays_small_and_says_what_is_left_out() {
    let (classes, long) = (1000, "x".repeat(300));
    let names: Vec<String> = (0..classes).map(|class| format!("\"{class}-{long}\"")).collect();
    let model =
        MODEL.replace("input_shape", &format!("class_names = [{}]\ninput_shape", names.join(",\n"))).replace(
            "units = 3\n",
            &format!(
                "units = 1000\nactivation = \"relu\"\n\n[[layers]]\ntype = \"Dense\"\nunits = {classes}\n"
            ),
        );
    let sandbox = trained(&model, "--max-steps 1 --profile");
    let epoch = |n: usize| {
        format!(
            "{{\"epoch\":{n},\"loss\":2.0,\"accuracy\":0.5,\"val_loss\":1.5,\"val_accuracy\":0.25,\"seconds\":1.0}}\n"
        )
    };
    let step = |n: usize| format!("{{\"step\":{n},\"epoch\":1,\"loss\":2.0,\"correct\":1,\"n\":4}}\n");
    fs::write(sandbox.path("out/history.jsonl"), (1..=50_000).map(epoch).collect::<String>()).unwrap();
    fs::write(sandbox.path("out/steps.jsonl"), (1..=50_000).map(step).collect::<String>()).unwrap();
    sandbox.succeed("report out --device cpu --plots plots");
    let page = sandbox.text("out/report.html");
    check(&page);
    assert!(page.len() < LARGEST, "{} bytes", page.len());
    for text in [
        "with the most mistakes",
        "Of 1,000 classes these are the ",
        "The most frequent mistakes",
        "3 with the lowest F1",
        "The 50 most probable of 1,000 classes",
        "Loss of each epoch, in means of 167 in a row",
        "Loss of each step, in means of 167 in a row",
        "# The rest is in the file.",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
    assert!(sandbox.list("plots").iter().all(|plot| sandbox.text(&format!("plots/{plot}")).len() < 50_000));
    // The classes with mistakes are among those that are shown.
    let report: serde_json::Value =
        serde_json::from_str(&sandbox.succeed("evaluate out --json --device cpu").stdout).unwrap();
    let matrix = page.split("<table class=\"matrix\">").nth(1).unwrap().split("</table>").next().unwrap();
    for (row, counts) in report["confusion"].as_array().unwrap().iter().enumerate() {
        let wrong = counts.as_array().unwrap().iter().enumerate().any(|(column, n)| column != row && *n != 0);
        assert!(!wrong || matrix.contains(&format!("<th scope=\"row\">{row} {row}-xxx")), "{row}");
    }
    assert!((3..=50).contains(&matrix.matches("<tr><th").count()));
}

#[test]
fn what_cannot_be_is_refused() {
    let sandbox = trained(MODEL, "--max-steps 2");
    sandbox.fail("report nonesuch", 1, &["`nonesuch` is not a folder"]);
    sandbox.fail("report data", 1, &["`data` is not the folder of a finished run", "no model.toml"]);
    sandbox.fail("report out --out data --device cpu", 1, &["`data` is a folder"]);
    sandbox.fail(
        "report out --out nowhere/page.html --device cpu",
        1,
        &["`nowhere/page.html` cannot be written"],
    );
    sandbox.fail("report out --plots model.toml --device cpu", 1, &["`model.toml` is not a folder"]);
    sandbox.fail("report out --data nonesuch --device cpu", 1, &["there is no folder or file `nonesuch`"]);
    let model = sandbox.text("model.toml");
    sandbox.fail("report out --out model.toml --device cpu", 1, &["`model.toml` already exists", "--force"]);
    assert_eq!(sandbox.text("model.toml"), model);
    sandbox.succeed("report out --out page.html --plots plots --device cpu");
    sandbox.fail("report out --plots plots --device cpu", 1, &["loss.svg` already exists"]);
    sandbox.succeed("report out --out page.html --plots plots --force --device cpu");

    fs::write(sandbox.path("out/steps.jsonl"), "{\"step\":1,\"loss\":2.0}\n{\"step\":2,\"lo").unwrap();
    sandbox.fail("report out --device cpu", 1, &["out/steps.jsonl`, line 2: ", "remove the file"]);
    assert!(!sandbox.path("out/report.html").exists());
    fs::remove_file(sandbox.path("out/weights.safetensors")).unwrap();
    sandbox.fail("report out", 1, &["not the folder of a finished run", "no weights.safetensors"]);
}
