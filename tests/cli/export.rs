//! `export`.

use std::fs;

use prost::Message;
use shadegrad::io::onnx;

use crate::sandbox::Sandbox;

#[test]
fn the_file_is_whole_or_not_there() {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --max-steps 1 --out out");
    let outcome = sandbox.succeed("export out model.onnx");
    assert!(outcome.stdout.starts_with("Wrote model.onnx: "), "{outcome:?}");
    let first = fs::read(sandbox.path("model.onnx")).unwrap();
    let model = onnx::Model::decode(first.as_slice()).unwrap();
    assert_eq!(model.graph.unwrap().initializer.len(), 4);
    assert_eq!(model.metadata_props[0].value, r#"["0","1","2"]"#);

    // An existing file is not replaced without `--force`.
    fs::write(sandbox.path("model.onnx"), "mine").unwrap();
    sandbox.fail("export out model.onnx", 1, &["`model.onnx` already exists", "--force"]);
    assert_eq!(sandbox.text("model.onnx"), "mine");
    sandbox.succeed("export out model.onnx --force");
    assert_eq!(fs::read(sandbox.path("model.onnx")).unwrap(), first);

    sandbox.fail("export out out --force", 1, &["`out` is a folder"]);
    sandbox.fail(
        "export out no/such/model.onnx",
        1,
        &["`no/such/model.onnx` cannot be written", "No such file"],
    );
    sandbox.fail("export nonesuch model2.onnx", 1, &["`nonesuch` is not a folder"]);
    sandbox.fail("export out", 2, &["<FILE.onnx>", "Usage"]);
    // No partial file is left.
    assert_eq!(sandbox.list(""), ["data", "model.onnx", "model.toml", "out"]);
}

/// A page in a folder, with an engine from wherever it is.
#[test]
fn a_page_with_the_model_is_written() {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --max-steps 1 --out out");
    sandbox.fail("export out --web page", 1, &["scripts/build-web", "--engine"]);
    assert!(!sandbox.path("page").exists());
    fs::create_dir_all(sandbox.path("package/engine")).unwrap();
    sandbox.fail("export out --web page --engine package", 1, &["`package`", "it has no `index.js`"]);
    let files = [
        "index.js",
        "worker.js",
        "engine/shadegrad_web.js",
        "engine/shadegrad_web_bg.wasm",
        "LICENSE-APACHE",
        "LICENSE-MIT",
    ];
    for file in files {
        fs::write(sandbox.path("package").join(file), file).unwrap();
    }
    let outcome = sandbox.succeed("export out --web page --engine package");
    assert!(outcome.stdout.starts_with("Wrote a page to page"), "{outcome:?}");
    for file in files {
        assert_eq!(sandbox.text(&format!("page/shadegrad/{file}")), file);
    }
    for file in ["model.toml", "weights.safetensors"] {
        assert_eq!(
            fs::read(sandbox.path("page/run").join(file)).unwrap(),
            fs::read(sandbox.path("out").join(file)).unwrap()
        );
    }
    assert_eq!(sandbox.json("page/run/page.json")["isDrawing"], true);
    assert!(sandbox.text("page/index.html").contains("shadegrad/index.js"));
    sandbox.fail("export out --web page --engine package", 1, &["`page` already exists", "--force"]);
    sandbox.succeed("export out --web page --engine package --force");
    sandbox.fail("export out page.onnx --web page", 2, &["cannot be used with"]);
}
