//! `predict`.

use std::fs;
use std::io::Cursor;

use image::{ImageFormat, RgbImage};
use serde_json::Value;

use crate::sandbox::{MODEL, Outcome, Sandbox, outcome};

/// A picture with a bar in the middle of paper.
fn drawing(format: ImageFormat) -> Vec<u8> {
    let ink = |x, y| if (20..26).contains(&x) && (8..50).contains(&y) { 20 } else { 240 };
    let image = RgbImage::from_fn(48, 64, |x, y| image::Rgb([ink(x, y); 3]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A run in `out`, and pictures in `pictures`.
fn trained(model: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("model.toml"), model).unwrap();
    sandbox.train("--device cpu --max-steps 2 --out out");
    fs::create_dir(sandbox.path("pictures")).unwrap();
    fs::write(sandbox.path("pictures/b.png"), drawing(ImageFormat::Png)).unwrap();
    fs::write(sandbox.path("pictures/a.JPEG"), drawing(ImageFormat::Jpeg)).unwrap();
    fs::write(sandbox.path("pictures/notes.txt"), "not a picture").unwrap();
    sandbox
}

fn json_lines(outcome: &Outcome) -> Vec<Value> {
    outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn files_folders_and_standard_input_are_read() {
    let sandbox = trained(MODEL);
    let outcome_of_folder = sandbox.succeed("predict out pictures --device cpu");
    let lines: Vec<&str> = outcome_of_folder.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{outcome_of_folder:?}");
    assert!(
        lines[0].starts_with("pictures/a.JPEG: ") && lines[1].starts_with("pictures/b.png: "),
        "{lines:?}"
    );
    assert_eq!(lines[1].matches('(').count(), 3, "three classes: {lines:?}");
    // A JPEG is recognised by its content.
    fs::copy(sandbox.path("pictures/a.JPEG"), sandbox.path("odd.png")).unwrap();
    let odd = sandbox.succeed("predict out odd.png --device cpu").stdout;
    assert_eq!(
        odd.strip_prefix("odd.png"),
        lines[0].strip_prefix("pictures/a.JPEG").map(|rest| format!("{rest}\n")).as_deref()
    );

    let mut piped = assert_cmd::Command::from_std(sandbox.command("predict out - --device software"));
    let output = piped.write_stdin(drawing(ImageFormat::Png)).output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("-: "));
}

#[test]
fn json_has_a_line_per_picture_and_both_executors_agree() {
    let sandbox = trained(MODEL);
    fs::write(sandbox.path("broken.png"), b"\x89PNG\r\n\x1a\nwhat").unwrap();
    let mut rows = Vec::new();
    for device in ["cpu", "software"] {
        let outcome = sandbox.run(&format!("predict out pictures/b.png broken.png --json --device {device}"));
        assert_eq!(outcome.code, 1, "{outcome:?}");
        let lines = json_lines(&outcome);
        assert_eq!(
            (&lines[0]["image"], &lines[1]["image"]),
            (&"pictures/b.png".into(), &"broken.png".into())
        );
        assert!(lines[1]["error"].as_str().unwrap().contains("is damaged or incomplete"), "{lines:?}");
        let row: Vec<f64> = lines[0]["probabilities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_f64().unwrap())
            .collect();
        assert_eq!(row.len(), 3);
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let label = lines[0]["label"].as_u64().unwrap() as usize;
        assert_eq!(lines[0]["name"], label.to_string());
        assert_eq!(lines[0]["probability"].as_f64().unwrap(), row.iter().copied().fold(0.0, f64::max));
        rows.push(row);
    }
    for (cpu, gpu) in rows[0].iter().zip(&rows[1]) {
        assert!((cpu - gpu).abs() < 1e-5, "{rows:?}");
    }
}

#[test]
fn classes_have_the_names_of_the_model_file() {
    let named = MODEL.replace("input_shape", "class_names = [\"cat\", \"a dog\", \"ünder\"]\ninput_shape");
    let sandbox = trained(&named);
    let stdout = sandbox.succeed("predict out pictures/b.png --device cpu").stdout;
    for name in ["cat (0.", "a dog (0.", "ünder (0."] {
        assert!(stdout.contains(name), "{stdout}");
    }
}

#[test]
fn what_the_network_sees_is_shown() {
    let sandbox = trained(MODEL);
    let stdout = sandbox.succeed("predict out --show pictures/b.png --device cpu").stdout;
    let rows: Vec<&str> = stdout.lines().skip(1).collect();
    assert_eq!(rows.len(), 8, "{stdout}");
    assert!(rows.iter().all(|row| row.chars().count() == 18 && row.starts_with('|')), "{stdout}");
    assert!(rows[4].contains('█'), "{stdout}");

    sandbox.succeed("predict out pictures --show=seen.png --device cpu");
    let seen = image::open(sandbox.path("seen.png")).unwrap().into_luma8();
    assert_eq!(seen.dimensions(), (2 * (8 * 8 + 8) + 8, 8 * 8 + 2 * 8));
    let bytes = fs::read(sandbox.path("seen.png")).unwrap();
    sandbox.fail("predict out pictures --show=seen.png", 1, &["`seen.png` already exists"]);
    assert_eq!(fs::read(sandbox.path("seen.png")).unwrap(), bytes);
    // A file name as a separate argument would be a picture to read.
    sandbox.fail(
        "predict out --show new.png --device cpu",
        1,
        &["new.png: cannot be read", "use --show=new.png"],
    );
}

/// A JPEG file with a smaller one in its header, as cameras store it.
fn with_preview(jpeg: &[u8]) -> Vec<u8> {
    let preview = drawing(ImageFormat::Jpeg);
    let length = (preview.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &preview, &jpeg[2..]].concat()
}

/// Phones append a film to the picture, and some programs append zeros.
#[test]
fn what_follows_a_picture_does_not_count() {
    let sandbox = trained(MODEL);
    let jpeg = drawing(ImageFormat::Jpeg);
    let film = [&b"\0\0\0\x18ftypmp42"[..], &[0xff, 0xda, 0, 2, 7], &[3; 5000]].concat();
    let rows = [
        ("plain.jpg", jpeg.clone()),
        ("film.jpg", [&jpeg[..], &film].concat()),
        ("cut picture behind.jpg", [&jpeg[..], &jpeg[..jpeg.len() - 40]].concat()),
        ("zeros.jpg", [&jpeg[..], &[0; 99]].concat()),
        ("preview.jpg", with_preview(&jpeg)),
        ("filled.jpg", [&jpeg[..2], &[0xff; 3], &jpeg[2..]].concat()),
    ];
    let mut found = Vec::new();
    for (name, bytes) in rows {
        fs::write(sandbox.path("picture"), bytes).unwrap();
        let outcome = sandbox.run("predict out picture --device cpu");
        assert_eq!(outcome.code, 0, "{name}: {outcome:?}");
        found.push(outcome.stdout);
    }
    assert!(found.iter().all(|line| *line == found[0]), "{found:?}");
}

#[test]
fn a_bad_picture_is_named_and_the_others_are_judged() {
    let sandbox = trained(MODEL);
    let png = drawing(ImageFormat::Png);
    let jpeg = drawing(ImageFormat::Jpeg);
    let blank = RgbImage::from_pixel(20, 20, image::Rgb([200, 200, 200]));
    blank.save(sandbox.path("blank.png")).unwrap();
    // A header of a few bytes announces 50,000 x 50,000 grey pixels.
    let mut huge = png.clone();
    huge[16..24].copy_from_slice(&[0, 0, 195, 80, 0, 0, 195, 80]);
    let checksum = crc32(&huge[12..29]);
    huge[29..33].copy_from_slice(&checksum.to_be_bytes());
    let rows: &[(&str, Vec<u8>, &str)] = &[
        ("empty.png", Vec::new(), "is empty"),
        ("text.png", b"hello".to_vec(), "neither PNG nor JPEG"),
        ("cut.png", png[..png.len() / 2].to_vec(), "damaged or incomplete"),
        ("cut.jpg", jpeg[..20].to_vec(), "damaged or incomplete"),
        ("half.jpg", jpeg[..jpeg.len() - 40].to_vec(), "damaged or incomplete: its picture has no end"),
        (
            "half-with-preview.jpg",
            with_preview(&jpeg[..jpeg.len() - 40]),
            "damaged or incomplete: its picture has no end",
        ),
        ("huge.png", huge, "make the picture smaller"),
    ];
    for (name, bytes, expected) in rows {
        fs::write(sandbox.path(name), bytes).unwrap();
        let outcome = sandbox.run(&format!("predict out {name} pictures/b.png --device cpu"));
        assert_eq!(outcome.code, 1, "{name}");
        assert!(outcome.stderr.starts_with(&format!("error: {name}: ")), "{name}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(expected), "{name}: {}", outcome.stderr);
        assert!(outcome.stdout.starts_with("pictures/b.png: "), "{name}: {}", outcome.stdout);
    }
    sandbox.fail("predict out blank.png --device cpu", 1, &["blank.png: ", "nothing stands out"]);
    sandbox.succeed("predict out blank.png --plain --device cpu");
    sandbox.fail(
        "predict out nonesuch.png --device cpu",
        1,
        &["nonesuch.png: cannot be read", "No such file"],
    );
    fs::create_dir(sandbox.path("nothing")).unwrap();
    sandbox.fail("predict out nothing --device cpu", 1, &["nothing: no pictures in this folder", ".jpeg"]);
    sandbox.fail("predict nonesuch pictures", 1, &["`nonesuch` is not a folder"]);
    sandbox.fail("predict out", 2, &["<FILE>", "Usage"]);
}

#[test]
fn models_of_colour_get_whole_pictures() {
    // There are no coloured data sets to train on; weights do not matter here.
    let sandbox = trained(MODEL);
    fs::create_dir(sandbox.path("colour")).unwrap();
    let model = MODEL.replace("[8, 8, 1]", "[8, 8, 3]");
    fs::write(sandbox.path("colour/model.toml"), &model).unwrap();
    let network = shadegrad::io::ModelFile::parse("model.toml", &model).unwrap().model.network().unwrap();
    let weights = network.initial_weights(1);
    let bytes = shadegrad::io::weights_to_bytes(&weights, &Default::default()).unwrap();
    fs::write(sandbox.path("colour/weights.safetensors"), bytes).unwrap();
    sandbox.succeed("predict colour pictures --device cpu --show=seen.png");
    let seen = image::open(sandbox.path("seen.png")).unwrap();
    assert_eq!(seen.color(), image::ColorType::Rgb8);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let sandbox = trained(MODEL);
    let mut shell = std::process::Command::new("sh");
    let program = crate::sandbox::program().display().to_string();
    shell.arg("-c").arg(format!("{program} predict out pictures --device cpu | true"));
    shell.current_dir(sandbox.path(""));
    assert_eq!(outcome("pipe", shell).code, 0);
}

/// The checksum of PNG chunks.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}
