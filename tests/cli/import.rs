//! `import`, `train --init` of somebody else's weights, and `--trainable`.

use std::fs;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::sandbox::Sandbox;

/// The numbers from 0, in F32.
fn counted(len: usize) -> Vec<u8> {
    (0..len).flat_map(|at| (at as f32 / 100.0).to_le_bytes()).collect()
}

/// Writes tensors of these names and shapes.
fn write(sandbox: &Sandbox, file: &str, tensors: &[(&str, &[usize])]) {
    let values: Vec<Vec<u8>> = tensors.iter().map(|(_, shape)| counted(shape.iter().product())).collect();
    let views = tensors
        .iter()
        .zip(&values)
        .map(|((name, shape), values)| (*name, TensorView::new(Dtype::F32, shape.to_vec(), values).unwrap()));
    fs::write(sandbox.path(file), safetensors::serialize(views, None).unwrap()).unwrap();
}

/// The values of a tensor of a file.
fn values(sandbox: &Sandbox, file: &str, name: &str) -> Vec<f32> {
    let bytes = fs::read(sandbox.path(file)).unwrap();
    let read = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = read.tensor(name).unwrap();
    tensor.data().as_chunks::<4>().0.iter().map(|&four| f32::from_le_bytes(four)).collect()
}

const TORCH: [(&str, &[usize]); 4] = [
    ("conv2d.weight", &[4, 1, 3, 3]),
    ("conv2d.bias", &[4]),
    ("dense.weight", &[3, 36]),
    ("dense.bias", &[3]),
];

#[test]
fn weights_of_pytorch_become_those_of_a_model() {
    let sandbox = Sandbox::new();
    write(&sandbox, "theirs", &TORCH);
    let told = sandbox.succeed("import theirs --model model.toml --out start.safetensors").stdout;
    for text in [
        "Theirs         Shape         Layout                   Ours           Shape",
        "conv2d.weight  [4, 1, 3, 3]  OIHW -> HWIO             conv2d.kernel  [3, 3, 1, 4]",
        "dense.weight   [3, 36]       OI -> IO, I: CHW -> HWC  dense.kernel   [36, 3]",
        "conv2d.bias    [4]           as it is",
        "Took 151 of 151 weights",
        "Wrote start.safetensors",
    ] {
        assert!(told.contains(text), "{text:?} is missing from\n{told}");
    }
    // The second feature is the second channel of the first place, whose images there have 3 * 3 places.
    assert_eq!(values(&sandbox, "start.safetensors", "dense.kernel")[..4], [0.0, 0.36, 0.72, 0.09]);
    sandbox.train("--device cpu --max-steps 2 --init theirs --out a");
    sandbox.train("--device cpu --max-steps 2 --init start.safetensors --out b");
    let weights = |run: &str| fs::read(sandbox.path(&format!("{run}/weights.safetensors"))).unwrap();
    assert_eq!(weights("a"), weights("b"));

    let told = sandbox.succeed("import theirs --model model.toml --json").stdout;
    let json: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(json["taken"][0]["theirs"], "conv2d.weight");
    assert_eq!(json["taken"][0]["their_shape"], serde_json::json!([4, 1, 3, 3]));
    assert_eq!((&json["fresh"], &json["left_out"]), (&serde_json::json!([]), &serde_json::json!([])));

    sandbox.fail(
        "import theirs --model model.toml --out start.safetensors",
        1,
        &["already exists", "--force"],
    );
    sandbox.succeed("import theirs --model model.toml --out start.safetensors --force");
    let whole =
        std::process::Command::output(&mut sandbox.command("import theirs --model model.toml --out -"));
    assert_eq!(whole.unwrap().stdout, fs::read(sandbox.path("start.safetensors")).unwrap());
}

#[test]
fn what_is_left_over_is_an_error_unless_it_is_named() {
    let sandbox = Sandbox::new();
    let wide = [TORCH[0], TORCH[1], ("dense.weight", &[7, 36][..]), ("dense.bias", &[7])];
    write(&sandbox, "wide", &wide);
    let import = "import wide --model model.toml";
    sandbox.fail(import, 1, &["`dense.weight` has shape [7, 36]", "[3, 36]", "--fresh LAYER"]);
    let fresh = sandbox.succeed(&format!("{import} --fresh dense --seed 3 --out a.safetensors")).stdout;
    assert!(fresh.contains("Initial weights: dense\nLeft out: dense.bias, dense.weight\n"), "{fresh}");
    sandbox.succeed(&format!("{import} --allow-missing d* --ignore dense --seed 3 --out b.safetensors"));
    let [a, b] = ["a", "b"].map(|file| fs::read(sandbox.path(&format!("{file}.safetensors"))).unwrap());
    assert_eq!(a, b);
    // The same with `train`, whose seed it is too.
    sandbox.train("--device cpu --max-steps 1 --seed 3 --init wide --fresh dense --out run");
    sandbox.train("--device cpu --max-steps 1 --seed 3 --init a.safetensors --out again");
    let weights = |run: &str| fs::read(sandbox.path(&format!("{run}/weights.safetensors"))).unwrap();
    assert_eq!(weights("run"), weights("again"));

    write(
        &sandbox,
        "other",
        &[TORCH[0], TORCH[1], ("head.weight", &[3, 36]), ("head.bias", &[3]), ("pos", &[2])],
    );
    let import = "import other --model model.toml";
    sandbox.fail(
        import,
        1,
        &[
            "is `dense.kernel` [36, 3], `dense.bias` [3]",
            "is `head.bias` [3], `head.weight` [3, 36], `pos` [2]",
        ],
    );
    fs::write(sandbox.path("map.toml"), "[names]\ndense = \"head\"\n").unwrap();
    sandbox.fail(
        &format!("{import} --map map.toml"),
        1,
        &["no weight of the model is `pos` [2]", "(--ignore NAME,...)"],
    );
    sandbox.succeed(&format!("{import} --map map.toml --ignore pos"));
    let train = "train --model model.toml --data data --device cpu --max-steps 1";
    sandbox.succeed(&format!("{train} --init other --map map.toml --ignore pos --out mapped"));
    let rows: &[(&str, i32, &[&str])] = &[
        (import, 1, &["--map MAP.toml, --fresh LAYER,..., --ignore NAME,..."]),
        (
            "import other --model model.toml --fresh dens",
            1,
            &["--fresh names `dens`", "did you mean `dense`?"],
        ),
        ("import other --model model.toml --fresh flatten", 1, &["no such layer with weights"]),
        ("import other --model model.toml --map nonesuch", 1, &["`nonesuch`: cannot be read"]),
        ("import nonesuch --model model.toml", 1, &["weight file `nonesuch` cannot be read"]),
        ("import model.toml --model model.toml", 1, &["not a complete safetensors file"]),
        ("import other", 2, &["--model"]),
        (
            "train --model model.toml --data data --fresh dense",
            1,
            &["--fresh says how the file of --init is read"],
        ),
        ("train --resume --out mapped --fresh dense", 2, &["cannot be used with"]),
        ("train --resume --out mapped --trainable all", 2, &["cannot be used with"]),
    ];
    for (args, code, expected) in rows {
        sandbox.fail(args, *code, expected);
    }
}

#[test]
fn a_last_layer_is_trained_alone_and_then_all() {
    let sandbox = Sandbox::new();
    write(&sandbox, "theirs", &TORCH);
    sandbox.succeed("import theirs --model model.toml --fresh dense --out start.safetensors");
    sandbox.train("--device cpu --epochs 1 --init theirs --fresh dense --trainable dense --out head");
    let conv = |file: &str| values(&sandbox, file, "conv2d.kernel");
    assert_eq!(conv("head/weights.safetensors"), conv("start.safetensors"));
    let dense = |file: &str| values(&sandbox, file, "dense.kernel");
    assert_ne!(dense("head/weights.safetensors"), dense("start.safetensors"));
    assert_eq!(sandbox.text("head/model.toml").matches("trainable = false").count(), 1);
    // What was trained is where all goes on, from the same model file or from that of the run.
    let tune = "--data data --device cpu --epochs 1 --init head/weights.safetensors";
    sandbox.succeed(&format!("train --model model.toml {tune} --out tuned"));
    sandbox.succeed(&format!("train --model head/model.toml {tune} --trainable all --out again"));
    let weights = |run: &str| fs::read(sandbox.path(&format!("{run}/weights.safetensors"))).unwrap();
    assert_eq!(weights("tuned"), weights("again"));
    assert_ne!(conv("tuned/weights.safetensors"), conv("start.safetensors"));
    assert!(!sandbox.text("again/model.toml").contains("trainable"));
    let train = "train --model model.toml --data data --trainable";
    sandbox.fail(&format!("{train} dens"), 1, &["--trainable names `dens`", "did you mean `dense`?"]);
    sandbox.fail(&format!("{train} flatten"), 1, &["no such layer with weights"]);
    let plan = sandbox.succeed("explain --model model.toml --device cpu --trainable dense").stdout;
    assert!(plan.contains("dense/backward_kernel") && !plan.contains("conv2d/backward"), "{plan}");
    let found = sandbox.succeed("lr-find --model model.toml --data data --device cpu --init theirs --fresh dense --trainable dense").stdout;
    if let Some(command) = found.lines().find(|line| line.starts_with("Train with it:")) {
        assert!(command.contains("--init theirs --fresh dense --trainable dense"), "{command}");
    }
}
