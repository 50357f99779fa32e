//! Which pictures `predict` accepts, what they may cost, and what it says about the others.

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma};
use serde_json::Value;

use crate::sandbox::{MODEL, Outcome, Sandbox, outcome, program};

/// A bar in the middle of paper.
fn grey(x: u32, y: u32) -> u8 {
    if (20..26).contains(&x) && (8..50).contains(&y) { 20 } else { 240 }
}

fn bytes(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn drawing() -> Vec<u8> {
    bytes(GrayImage::from_fn(48, 64, |x, y| Luma([grey(x, y)])), ImageFormat::Png)
}

/// A run in `out`, and a good picture `good.png`.
fn trained() -> Sandbox {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("model.toml"), MODEL).unwrap();
    sandbox.train("--device cpu --max-steps 2 --out out");
    fs::write(sandbox.path("good.png"), drawing()).unwrap();
    sandbox
}

fn json_lines(outcome: &Outcome) -> Vec<Value> {
    outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A PNG file of grey bytes or of 16 bits, its data compressed.
fn png(size: [u32; 2], depth: u8, interlaced: bool, chunks: &[u8], data: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(data).unwrap();
    let header =
        [&size[0].to_be_bytes()[..], &size[1].to_be_bytes(), &[depth, 0, 0, 0, u8::from(interlaced)]];
    [
        b"\x89PNG\r\n\x1a\n",
        &chunk(b"IHDR", &header.concat())[..],
        chunks,
        &chunk(b"IDAT", &packed.finish().unwrap()),
        &chunk(b"IEND", b""),
    ]
    .concat()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [name, data].concat();
    let mut checksum = flate2::Crc::new();
    checksum.update(&body);
    [&(data.len() as u32).to_be_bytes()[..], &body, &checksum.sum().to_be_bytes()].concat()
}

/// The rows of the drawing as a file stores them, each after a zero.
fn rows(interlaced: bool) -> Vec<u8> {
    let passes: &[[usize; 4]] = if interlaced {
        &[[0, 8, 0, 8], [0, 8, 4, 8], [4, 8, 0, 4], [0, 4, 2, 4], [2, 4, 0, 2], [0, 2, 1, 2], [1, 2, 0, 1]]
    } else {
        &[[0, 1, 0, 1]]
    };
    let row = |y: usize, left: usize, step: usize| {
        std::iter::once(0).chain((left..48).step_by(step).map(move |x| grey(x as u32, y as u32)))
    };
    let pass = |&[top, down, left, step]: &[usize; 4]| {
        (top..64).step_by(down).flat_map(move |y| row(y, left, step)).collect::<Vec<u8>>()
    };
    passes.iter().flat_map(pass).collect()
}

/// With little address space a refused allocation would abort the program, if the shape of a picture, or the unpacked
/// length of a chunk, decided how much is allocated.
#[cfg(target_os = "linux")]
#[test]
fn what_a_picture_takes_does_not_depend_on_its_shape() {
    const KIB: u32 = 500_000;
    let sandbox = trained();
    let flat = |width: u32, height: u32| {
        let mut image = GrayImage::from_pixel(width, height, Luma([255]));
        image.put_pixel(width / 2, height / 2, Luma([0]));
        bytes(image, ImageFormat::Png)
    };
    let bomb = {
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        (0..300).for_each(|_| packed.write_all(&vec![0; 1 << 20]).unwrap());
        packed.finish().unwrap()
    };
    let with = |name: &[u8; 4]| {
        let chunk = chunk(name, &[b"x\0\0", &bomb[..]].concat());
        png([48, 64], 8, false, &chunk, &rows(false))
    };
    // Name, file, and the message if it is refused.
    let table: Vec<(&str, Vec<u8>, Option<&str>)> = vec![
        ("1000000x3.png", flat(1_000_000, 3), Some("a side of more than 65535")),
        ("3x100000.png", flat(3, 100_000), Some("a side of more than 65535")),
        ("16000x1.png", flat(16_000, 1), Some("nothing stands out")),
        ("1x16000.png", flat(1, 16_000), Some("nothing stands out")),
        ("60000x2.png", flat(60_000, 2), Some("nothing stands out")),
        ("profile.png", with(b"iCCP"), None),
        ("text.png", with(b"zTXt"), None),
        (
            "exif.png",
            png([48, 64], 8, false, &chunk(b"eXIf", &vec![7; 20 << 20]), &rows(false)),
            Some("8 MiB"),
        ),
    ];
    for (name, file, refusal) in table {
        fs::write(sandbox.path(name), file).unwrap();
        for plain in ["", "--plain"] {
            let mut shell = Command::new("sh");
            let line = format!(
                "ulimit -v {KIB}; exec {} predict out {name} good.png --device cpu {plain}",
                program().display()
            );
            shell.arg("-c").arg(line).current_dir(sandbox.path(""));
            shell.env("RAYON_NUM_THREADS", "1").env("MALLOC_ARENA_MAX", "1");
            let outcome = outcome(name, shell);
            assert!(outcome.stdout.contains("good.png: "), "{name} {plain}: {outcome:?}");
            let drawn_only = refusal == Some("nothing stands out") && plain == "--plain";
            match refusal.filter(|_| !drawn_only) {
                Some(text) => assert!(outcome.stderr.contains(text), "{name} {plain}: {outcome:?}"),
                None => assert_eq!(outcome.code, 0, "{name} {plain}: {outcome:?}"),
            }
        }
    }
}

#[test]
fn an_interlaced_picture_is_the_same_picture() {
    let sandbox = trained();
    for (name, interlaced) in [("plain.png", false), ("interlaced.png", true)] {
        fs::write(sandbox.path(name), png([48, 64], 8, interlaced, b"", &rows(interlaced))).unwrap();
    }
    let lines =
        json_lines(&sandbox.succeed("predict out good.png plain.png interlaced.png --json --device cpu"));
    assert_eq!(lines[0]["probabilities"], lines[1]["probabilities"]);
    assert_eq!(lines[0]["probabilities"], lines[2]["probabilities"]);
    assert_eq!(lines[0]["warnings"], serde_json::json!([]));
}

/// Microscopes, scanners and depth cameras write 8 to 12 bits into 16-bit samples.
#[test]
fn narrow_samples_of_sixteen_bits_are_stretched() {
    let sandbox = trained();
    let reference = json_lines(&sandbox.succeed("predict out good.png --json --device cpu"))[0].clone();
    for (greatest, stretched) in [(255u32, Some(8)), (1023, Some(10)), (4095, Some(12)), (65_535, None)] {
        let sample = |x, y| Luma([(u32::from(grey(x, y)) * greatest / 255) as u16]);
        let image: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_fn(48, 64, sample);
        fs::write(sandbox.path("wide.png"), bytes(image, ImageFormat::Png)).unwrap();
        let outcome = sandbox.succeed("predict out wide.png --json --device cpu");
        let line = &json_lines(&outcome)[0];
        for (a, b) in [(0, 0), (1, 1), (2, 2)] {
            let value = |line: &Value, at: usize| line["probabilities"][at].as_f64().unwrap();
            assert!((value(line, a) - value(&reference, b)).abs() < 1e-2, "{greatest}: {line} {reference}");
        }
        let warnings = line["warnings"].to_string();
        match stretched {
            Some(bits) => {
                let text = format!("taken as {bits} bits and stretched");
                assert!(
                    warnings.contains(&text) && outcome.stderr.contains(&text),
                    "{greatest}: {outcome:?}"
                );
            }
            None => assert_eq!(warnings, "[]", "{greatest}"),
        }
    }
}

#[test]
fn other_formats_are_named() {
    let sandbox = trained();
    let rows: &[(&[u8], &str)] = &[
        (b"\0\0\0\x18ftypheic\0\0\0\0", "is a HEIC picture; convert it to PNG or JPEG first"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0", "is a HEIC picture"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "is an AVIF picture"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "is a film"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "is damaged or incomplete: its header is cut off"),
        (b"GIF89a\x01\0", "is a GIF picture"),
        (b"BM\x46\0\0\0", "is damaged or incomplete: its header is cut off"),
        (b"II*\0\x08\0\0\0", "is a TIFF or camera raw picture"),
        (b"MM\0*\0\0\0\x08", "is a TIFF or camera raw picture"),
        (b"%PDF-1.7\n", "is a PDF document"),
        (b"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "is an SVG drawing"),
        (b"hello", "is neither PNG nor JPEG"),
        (b"", "is empty"),
    ];
    for (bytes, expected) in rows {
        fs::write(sandbox.path("photo.jpg"), bytes).unwrap();
        let outcome = sandbox.run("predict out photo.jpg good.png --device cpu");
        assert_eq!(outcome.code, 1, "{expected}");
        assert!(outcome.stderr.contains(expected), "{expected}: {}", outcome.stderr);
        assert!(outcome.stdout.starts_with("good.png: "), "{expected}: {outcome:?}");
    }
}

#[test]
fn a_folder_says_what_it_passed_over() {
    let sandbox = trained();
    fs::create_dir(sandbox.path("album")).unwrap();
    fs::write(sandbox.path("album/a.png"), drawing()).unwrap();
    for name in ["._a.png", ".DS_Store", "b.HEIC", "c.heic", "d.tiff", "README", "e.x\nerror: no"] {
        fs::write(sandbox.path(&format!("album/{name}")), b"\0\x05\x16\x07").unwrap();
    }
    let outcome = sandbox.succeed("predict out album --device cpu");
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome:?}");
    let note = "note: album: 5 files were skipped (2 .heic, 1 .tiff, 1 .x\\nerror: no, 1 without an ending)";
    assert!(outcome.stderr.contains(note), "{outcome:?}");
    fs::remove_file(sandbox.path("album/a.png")).unwrap();
    sandbox.fail("predict out album --device cpu", 1, &["no pictures in this folder", "(2 .heic, 1 .tiff"]);

    // Something with a picture's name that is not one is refused; the others are read.
    fs::write(sandbox.path("album/a.png"), drawing()).unwrap();
    fs::create_dir(sandbox.path("album/b.png")).unwrap();
    let outcome = sandbox.run("predict out album --device cpu");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("album/b.png: is a folder"), "{outcome:?}");
    assert!(outcome.stdout.starts_with("album/a.png: "), "{outcome:?}");
}

#[test]
fn pipes_and_devices_are_refused_at_once() {
    let sandbox = trained();
    fs::create_dir(sandbox.path("album")).unwrap();
    fs::write(sandbox.path("album/z.png"), drawing()).unwrap();
    for name in ["pipe.png", "album/pipe.png"] {
        assert!(Command::new("mkfifo").arg(sandbox.path(name)).status().unwrap().success());
    }
    for (arguments, expected) in [
        ("pipe.png good.png", "pipe.png: is a pipe or a device"),
        ("album", "album/pipe.png: is a pipe or a device"),
        ("/dev/zero good.png", "/dev/zero: is a pipe or a device"),
    ] {
        let mut command =
            assert_cmd::Command::from_std(sandbox.command(&format!("predict out {arguments} --device cpu")));
        // Without a check it would wait forever for a writer.
        let output = command.timeout(std::time::Duration::from_secs(30)).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(expected), "{arguments}: {stderr}");
        assert!(!output.stdout.is_empty(), "{arguments}: the other picture is judged");
    }
}

#[test]
fn control_characters_in_names_do_not_reach_the_terminal() {
    let sandbox = trained();
    let name = "a\u{1b}]0;title\u{7}\nb.png";
    fs::write(sandbox.path(name), drawing()).unwrap();
    let run = |name: &[u8], json: bool| {
        let mut command = sandbox.command("predict out --device cpu");
        command.arg(Path::new(std::ffi::OsStr::from_bytes(name)));
        command.args(json.then_some("--json"));
        outcome("predict", command)
    };
    let read = run(name.as_bytes(), false);
    assert!(read.stdout.starts_with(r"a\u{1b}]0;title\u{7}\nb.png: "), "{read:?}");
    assert_eq!(json_lines(&run(name.as_bytes(), true))[0]["image"], name);
    let missing = run(b"\x1b[2Jnone.png", false);
    assert!(missing.stderr.contains(r"\u{1b}[2Jnone.png: cannot be read"), "{missing:?}");
    // All other messages and results are printed the same way.
    let mut other = sandbox.command("evaluate");
    other.arg("\u{1b}[31mred");
    let other = outcome("evaluate", other);
    assert!(!other.stderr.contains('\u{1b}') && other.stderr.contains(r"\u{1b}[31mred"), "{other:?}");
}
