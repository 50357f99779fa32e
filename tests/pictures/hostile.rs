//! Folders that somebody prepared to break things, or that disks did.

use std::fs;

use image::ImageFormat;
use shadegrad::data::PictureOptions;

use crate::place::{Place, encoded, grey};

/// A set that everything else stands beside.
fn folder() -> Place {
    Place::with(&["a/0.png", "a/1.png", "a/2.png", "b/3.png", "b/4.png", "b/5.png"])
}

/// The header of a grey PNG file of these sides.
fn huge(width: u32, height: u32) -> Vec<u8> {
    huge_of(width, height, [8, 0])
}

/// With bits of a channel and type of colours.
fn huge_of(width: u32, height: u32, kind: [u8; 2]) -> Vec<u8> {
    let mut png = encoded(&grey(8, 8, 0), ImageFormat::Png);
    png[24..26].copy_from_slice(&kind);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let mut sum = flate2_crc(&png[12..29]).to_be_bytes().to_vec();
    png.splice(29..33, sum.drain(..));
    png
}

/// CRC-32 as PNG has it.
fn flate2_crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

#[test]
fn broken_pictures_are_named_and_left_out() {
    let place = folder();
    let whole = encoded(&grey(40, 40, 9), ImageFormat::Png);
    let jpeg = encoded(&grey(40, 40, 9), ImageFormat::Jpeg);
    let webp = encoded(&grey(40, 40, 9), ImageFormat::WebP);
    let bmp = encoded(&grey(40, 40, 9), ImageFormat::Bmp);
    // (file, its bytes, what is said of it)
    let rows: [(&str, Vec<u8>, &str); 13] = [
        ("a/empty.png", Vec::new(), "is empty"),
        ("a/text.jpg", b"hello".to_vec(), "is neither PNG nor JPEG"),
        ("a/page.png", b"<html></html>".to_vec(), "is neither PNG nor JPEG"),
        ("a/other.png", b"GIF89a....".to_vec(), "is a GIF picture"),
        ("a/cut.png", whole[..whole.len() / 2].to_vec(), "is damaged or incomplete"),
        ("a/cut.jpg", jpeg[..jpeg.len() - 20].to_vec(), "its picture has no end"),
        ("a/cut.webp", webp[..webp.len() - 20].to_vec(), "is damaged or incomplete"),
        ("a/cut.bmp", bmp[..bmp.len() - 20].to_vec(), "is damaged or incomplete"),
        ("b/long.png", huge(70_000, 10), "a side of more than 65535"),
        ("b/large.png", huge(60_000, 60_000), "are more than 67108864"),
        ("b/none.png", huge(0, 10), "is damaged or incomplete"),
        ("b/hollow.png", huge(60_000, 1_000), "is damaged or incomplete"),
        (
            "b/lie.webp",
            [&webp[..16], &u32::MAX.to_le_bytes()[..], &webp[20..]].concat(),
            "is damaged or incomplete",
        ),
    ];
    for (name, bytes, _) in &rows {
        place.write(name, bytes);
    }
    let sets = place.load_with(&PictureOptions { size: Some([8, 8]), ..PictureOptions::default() });
    for (name, _, expected) in &rows {
        let said = sets.broken.iter().find(|(path, _)| *path == place.path(name));
        assert!(
            said.is_some_and(|(_, problem)| problem.contains(expected)),
            "{name}: {said:?} lacks {expected:?}"
        );
    }
    assert_eq!(sets.train.len() + sets.validation.as_ref().unwrap().len() + sets.test.len(), 6);
    let warning = sets.warning().unwrap();
    assert!(
        warning.starts_with("13 of 19 files cannot be read") && warning.ends_with("; and 8 more"),
        "{warning}"
    );
}

#[test]
fn a_class_or_a_set_without_pictures_is_an_error() {
    let place = folder();
    place.write("c/0.png", b"");
    place.write("c/1.png", b"x");
    let problem = place.problem();
    assert!(problem.contains("class \"c\"") && problem.contains("c/0.png is empty"), "{problem}");
    let place = Place::with(&["train/a/0.png", "train/b/1.png", "val/a/2.png"]);
    place.write("test/a/0.png", b"");
    let problem = place.problem();
    assert!(problem.contains("the test set") && problem.contains("is empty"), "{problem}");
}

#[test]
fn litter_is_passed_over() {
    let place = folder();
    for name in [
        "a/.hidden.png",
        ".git/x.png",
        "a/._0.png",
        "a/Thumbs.db",
        "__MACOSX/a/0.png",
        "a/@eaDir/0.png",
        "readme.txt",
    ] {
        place.write(name, b"litter");
    }
    let sets = place.load();
    assert_eq!((sets.train.class_names().len(), sets.broken.len()), (2, 0));
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn circles_of_links_end() {
        let place = folder();
        fs::create_dir(place.path("a/deep")).unwrap();
        for (to, link) in [
            ("..", "a/deep/up"),
            (".", "a/self"),
            ("../a", "a/again"),
            ("nowhere", "a/lost"),
            ("lost.png", "b/lost.png"),
        ] {
            symlink(to, place.path(link)).unwrap();
        }
        symlink(place.dir(), place.path("b/all")).unwrap();
        let sets = place.load();
        let all = sets.train.len() + sets.validation.as_ref().unwrap().len() + sets.test.len();
        // Those of a are in b as well: a link says so.
        assert_eq!((all, sets.broken.len()), (9, 1), "{:?}", sets.broken);
        assert!(sets.broken[0].1.contains("cannot be read"), "{:?}", sets.broken);
    }

    #[test]
    fn names_need_not_be_unicode() {
        let place = folder();
        for name in [&b"\xff\xfe"[..], b"\xff\xfd", b"line\nbreak", b" "] {
            let dir = place.dir().join(OsStr::from_bytes(name));
            fs::create_dir(&dir).unwrap();
            for file in [&b"\xf0\x28.png"[..], b"x\n.png"] {
                fs::write(dir.join(OsStr::from_bytes(file)), encoded(&grey(8, 8, 3), ImageFormat::Png))
                    .unwrap();
            }
        }
        let sets = place.load();
        let names = sets.train.class_names();
        assert_eq!(
            names,
            ["\" \"", "a", "b", "\"line\\nbreak\"", "\u{fffd}\u{fffd}", "\u{fffd}\u{fffd} (2)"]
        );
        assert!(sets.broken.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let place = folder();
        place.put("a/locked.png", &grey(8, 8, 1));
        place.put("a/closed/0.png", &grey(8, 8, 1));
        rustix::fs::mkfifoat(rustix::fs::CWD, place.path("a/pipe.png"), rustix::fs::Mode::RWXU).unwrap();
        symlink("/dev/zero", place.path("a/zero.png")).unwrap();
        fs::create_dir(place.path("a/folder.png")).unwrap();
        let lock = |name: &str, mode| {
            fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap()
        };
        lock("a/locked.png", 0o000);
        lock("a/closed", 0o000);
        let sets = place.load();
        lock("a/closed", 0o700);
        // Root may read everything.
        let root = rustix::process::geteuid().is_root();
        let names: Vec<String> = sets
            .broken
            .iter()
            .map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        let expected: &[&str] =
            if root { &["pipe.png", "zero.png"] } else { &["closed", "locked.png", "pipe.png", "zero.png"] };
        assert_eq!(names, expected);
        assert!(sets.broken.iter().any(|(_, problem)| problem.contains("a pipe or a device")));
    }
}

/// Many files, each of which claims half a gigabyte, cost the memory of their names.
#[test]
fn many_files_take_little_memory() {
    let place = folder();
    // 16 bits of red, green, blue and opacity.
    let lie = huge_of(8_000, 8_000, [16, 6]);
    fs::create_dir_all(place.path("b/many")).unwrap();
    for number in 0..5_000 {
        fs::write(place.path(&format!("b/many/{number}.png")), &lie).unwrap();
    }
    let sets = place.load_with(&PictureOptions {
        size: Some([8, 8]),
        channels: Some(1),
        ..PictureOptions::default()
    });
    assert_eq!(sets.broken.len(), 5_000);
    assert_eq!(sets.train.len() + sets.validation.map_or(0, |set| set.len()) + sets.test.len(), 6);
    #[cfg(target_os = "linux")]
    {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kilobytes: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 300_000, "{peak}");
    }
}
