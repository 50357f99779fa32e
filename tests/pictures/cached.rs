//! Decoded pictures that are kept.

use std::fs;
use std::path::PathBuf;

use image::ImageFormat;
use shadegrad::data::{PictureOptions, PictureSets};

use crate::place::{Place, encoded, grey};

fn folder() -> Place {
    Place::with(&["photos/a/0.png", "photos/a/1.png", "photos/b/2.png", "photos/b/3.png", "photos/b/4.png"])
}

fn options(place: &Place) -> PictureOptions {
    PictureOptions { cache: Some(place.path("cache")), ..PictureOptions::default() }
}

fn load(place: &Place, options: &PictureOptions) -> PictureSets {
    shadegrad::data::load_pictures(&place.path("photos"), options).unwrap()
}

fn files(place: &Place) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(place.path("cache")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "pictures"));
    files
}

fn same(one: &PictureSets, other: &PictureSets) -> bool {
    (&one.train, &one.validation, &one.test) == (&other.train, &other.validation, &other.test)
}

#[test]
fn a_second_time_nothing_is_decoded() {
    let place = folder();
    place.write("photos/a/9.png", b"broken");
    let first = load(&place, &options(&place));
    let again = load(&place, &options(&place));
    assert!(!first.cached && again.cached && same(&first, &again));
    assert_eq!((first.broken.len(), &first.broken), (1, &again.broken));
    assert!(same(&first, &load(&place, &PictureOptions::default())), "in memory");
    // What the sizes came to may be asked for, as a run records it.
    let asked = PictureOptions { size: Some([8, 8]), channels: Some(1), ..options(&place) };
    assert!(load(&place, &asked).cached);
}

#[test]
fn what_changes_is_decoded_anew() {
    let place = folder();
    load(&place, &options(&place));
    type Change = fn(&Place);
    let changes: [(&str, Change); 4] = [
        ("a new picture", |place| place.put("photos/a/5.png", &grey(8, 8, 5))),
        ("another name", |place| {
            fs::rename(place.path("photos/a/5.png"), place.path("photos/a/6.png")).unwrap()
        }),
        ("another content", |place| place.put("photos/a/6.png", &grey(9, 9, 60))),
        ("one less", |place| fs::remove_file(place.path("photos/b/2.png")).unwrap()),
    ];
    for (what, change) in changes {
        change(&place);
        assert!(!load(&place, &options(&place)).cached, "{what}");
        assert!(load(&place, &options(&place)).cached, "{what}");
    }
    assert_eq!(files(&place).len(), 3, "the last three are kept");
    let other = PictureOptions { split_seed: 7, ..options(&place) };
    assert!(!load(&place, &other).cached && load(&place, &other).cached);
}

/// Files of one length and time, as an archive leaves them, that change places.
#[cfg(unix)]
#[test]
fn other_files_of_the_same_names_are_told_apart() {
    let place = Place::new();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for (n, class) in ["a", "a", "a", "b", "b", "b"].iter().enumerate() {
        let name = format!("photos/{class}/{}.bmp", n % 3);
        place.write(&name, &encoded(&grey(8, 8, n as u8 * 40), ImageFormat::Bmp));
        fs::File::options().write(true).open(place.path(&name)).unwrap().set_modified(time).unwrap();
    }
    let first = load(&place, &options(&place));
    for [from, to] in [["a", "c"], ["b", "a"], ["c", "b"]] {
        fs::rename(place.path("photos").join(from), place.path("photos").join(to)).unwrap();
    }
    let swapped = load(&place, &options(&place));
    assert!(!swapped.cached && !same(&swapped, &first));
    assert!(same(&swapped, &load(&place, &PictureOptions::default())));
}

#[test]
fn several_may_decode_one_folder_at_once() {
    let place = folder();
    let expected = load(&place, &PictureOptions::default());
    std::thread::scope(|scope| {
        let loads: Vec<_> = (0..8).map(|_| scope.spawn(|| load(&place, &options(&place)))).collect();
        for sets in loads {
            assert!(same(&sets.join().unwrap(), &expected));
        }
    });
    let left = fs::read_dir(place.path("cache")).unwrap().flatten();
    let unfinished =
        left.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "tmp")).count();
    assert_eq!(unfinished, 0);
    assert!(load(&place, &options(&place)).cached);
}

#[test]
fn a_damaged_cache_is_made_again() {
    let place = folder();
    let first = load(&place, &options(&place));
    let file = files(&place).remove(0);
    let whole = fs::read(&file).unwrap();
    for at in [0, 40, 60, 4096, 4100, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        fs::write(&file, damaged).unwrap();
        let sets = load(&place, &options(&place));
        assert!(!sets.cached && same(&sets, &first), "byte {at}");
    }
    fs::write(&file, &whole[..5000.min(whole.len())]).unwrap();
    assert!(same(&load(&place, &options(&place)), &first));
    assert!(load(&place, &options(&place)).cached);
}

#[test]
fn without_a_place_pictures_stay_in_memory() {
    let place = folder();
    place.write("file", b"no folder");
    let options = PictureOptions { cache: Some(place.path("file/cache")), ..PictureOptions::default() };
    for _ in 0..2 {
        let sets = load(&place, &options);
        assert!(!sets.cached && sets.train.len() == 3);
    }
}
