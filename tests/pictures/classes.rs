//! Which folders are classes and sets, and which pictures are in them.

use shadegrad::data::{Dataset, PictureFolder, PictureOptions, PictureSets};

use crate::place::{Place, grey};

/// The first pixel of each picture and its class.
fn content(set: &Dataset) -> Vec<(u8, u32)> {
    (0..set.len()).map(|at| (set.image(at).unwrap()[0], set.label(at).unwrap())).collect()
}

fn all(sets: &PictureSets) -> Vec<(u8, u32)> {
    let validation = sets.validation.as_ref().map(content).unwrap_or_default();
    [content(&sets.train), validation, content(&sets.test)].concat()
}

#[test]
fn folders_are_classes_in_the_order_of_their_bytes() {
    let place = Place::with(&[
        "b/x/1.png",
        "b/2.png",
        "B/1.PNG",
        "a b/deep/er/1.jpeg",
        "é/1.png",
        "a b/0.bmp",
        "é/2.webp",
    ]);
    let sets = place.load();
    assert_eq!(sets.train.class_names(), ["B", "a b", "b", "é"]);
    let mut found = all(&sets);
    found.sort_unstable();
    assert_eq!(found, [(0, 2), (1, 2), (2, 0), (3, 1), (4, 3), (5, 1), (6, 3)]);
    assert_eq!(
        (sets.train.shape().dims(), sets.train.classes()),
        (vec![8, 8, 1], 4),
        "the colours of WebP and JPEG are grey"
    );
    assert!(sets.broken.is_empty() && !sets.cached);
}

#[test]
fn grey_pictures_have_one_channel() {
    let place = Place::with(&["a/1.png", "a/2.png", "b/1.png", "b/2.bmp"]);
    place.put("b/3.png", &grey(8, 8, 9).to_rgb8().into());
    assert_eq!(place.load().train.shape().dims(), [8, 8, 1]);
    let options = PictureOptions { channels: Some(3), ..PictureOptions::default() };
    assert_eq!(place.load_with(&options).train.shape().dims(), [8, 8, 3]);
    place.put("b/4.png", &image::RgbImage::from_pixel(8, 8, image::Rgb([9, 9, 8])).into());
    assert_eq!(place.load().train.shape().dims(), [8, 8, 3]);
}

#[test]
fn folders_of_sets_are_recognised() {
    type Row = (&'static [&'static str], [Option<&'static [u8]>; 3]);
    // (pictures, numbers of the training, validation and test pictures; none of a set that is split off)
    let rows: [Row; 5] = [
        (
            &["train/a/0.png", "train/b/1.png", "val/a/2.png", "val/b/3.png", "test/b/4.png", "test/a/5.png"],
            [Some(&[0, 1]), Some(&[2, 3]), Some(&[5, 4])],
        ),
        (
            &["Train/a/0.png", "Train/b/1.png", "validation/a/2.png", "TEST/b/3.png"],
            [Some(&[0, 1]), Some(&[2]), Some(&[3])],
        ),
        (
            &["train/a/0.png", "train/a/1.png", "train/b/2.png", "train/b/3.png", "test/b/4.png"],
            [None, None, Some(&[4])],
        ),
        (
            &["train/a/0.png", "train/a/1.png", "train/b/2.png", "train/b/3.png", "val/b/4.png"],
            [None, Some(&[4]), None],
        ),
        (&["train/a/0.png", "train/a/1.png", "train/b/2.png", "train/b/3.png"], [None, None, None]),
    ];
    for (names, expected) in rows {
        let place = Place::with(names);
        let sets = place.load();
        let firsts = |set: &Dataset| content(set).iter().map(|(value, _)| *value).collect::<Vec<u8>>();
        let found =
            [Some(firsts(&sets.train)), sets.validation.as_ref().map(firsts), Some(firsts(&sets.test))];
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                expected.is_none_or(|expected| found.as_deref() == Some(expected)),
                "{names:?}: {found:?}"
            );
        }
        assert_eq!(all(&sets).len(), names.len(), "{names:?}");
        assert_eq!(sets.test.class_names(), ["a", "b"], "{names:?}");
    }
}

#[test]
fn train_may_be_a_class_and_a_folder_a_wrapper() {
    let names = ["bus/0.png", "bus/1.png", "train/2.png", "train/3.png"];
    assert_eq!(Place::with(&names).load().train.class_names(), ["bus", "train"]);
    let wrapped = names.map(|name| format!("photos/archive/{name}"));
    assert_eq!(
        Place::with(&wrapped.each_ref().map(String::as_str)).load().train.class_names(),
        ["bus", "train"]
    );
}

#[test]
fn pictures_are_split_by_classes_and_by_a_seed() {
    let names: Vec<String> =
        (0..100).map(|n| format!("{}/{n:03}.png", if n < 70 { "few" } else { "rest" })).collect();
    let place = Place::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let sets = place.load();
    let of = |set: &Dataset| [0, 1].map(|class| set.labels().iter().filter(|&&label| label == class).count());
    let validation = sets.validation.as_ref().unwrap();
    assert_eq!([of(&sets.train), of(validation), of(&sets.test)], [[56, 24], [7, 3], [7, 3]]);
    let mut found = all(&sets);
    found.sort_unstable();
    assert_eq!(found, (0..100).map(|n| (n, u32::from(n >= 70))).collect::<Vec<_>>());
    assert_eq!(place.load().test, sets.test);
    // Others may come and go: what was tested on before is not trained on, but for the few at the edge.
    place.put("few/0001.png", &grey(8, 8, 200));
    place.put("rest/0001.png", &grey(8, 8, 201));
    let more = place.load();
    let before = content(&sets.test);
    let trained_on = content(&more.train).iter().filter(|sample| before.contains(sample)).count();
    assert!(trained_on <= 2, "{trained_on} of {}", before.len());
    for name in ["few/0001.png", "rest/0001.png"] {
        std::fs::remove_file(place.path(name)).unwrap();
    }
    let other = place.load_with(&PictureOptions { split_seed: 1, ..PictureOptions::default() });
    assert_ne!(content(&other.test), content(&sets.test));
    // In each set in the order of the names.
    for set in [&sets.train, validation, &sets.test] {
        assert!(content(set).is_sorted());
    }
}

#[test]
fn sizes_follow_from_the_pictures() {
    type Sizes<'a> = &'a [(u32, u32)];
    // (height and width of the pictures, of the images)
    let rows: [(Sizes<'_>, [usize; 2]); 7] = [
        (&[(28, 28)], [28, 28]),
        (&[(128, 20)], [128, 20]),
        (&[(129, 20)], [32, 32]),
        (&[(300, 200)], [128, 128]),
        (&[(70, 300), (300, 90), (200, 100)], [64, 64]),
        (&[(10, 10), (12, 12)], [32, 32]),
        (&[(28, 28), (28, 29)], [32, 32]),
    ];
    for (sizes, expected) in rows {
        let place = Place::new();
        for number in 0..6 {
            let (height, width) = sizes[number % sizes.len()];
            place.put(&format!("{}/{number}.png", number % 2), &grey(height, width, 7));
        }
        assert_eq!(place.load().train.shape().dims()[..2], expected, "{sizes:?}");
    }
}

#[test]
fn folders_that_are_no_data_set_are_refused_with_what_to_do() {
    // (files, what the message holds)
    let rows: [(&[&str], &[&str]); 8] = [
        (&[], &["expected pictures in a sub-folder for each class", ".png"]),
        (&["a/x.txt", "a/y.heic"], &["found none (files of other kinds: 1 .heic, 1 .txt)"]),
        (&["0.png", "1.png"], &["found 2 picture(s) in the folder itself", "a folder with its name"]),
        (&["a/0.png", "a/1.png"], &["at least 2 classes, found only \"a\""]),
        (&["train/a/0.png", "test/a/1.png", "extra/2.png"], &["found both: extra beside them", "train"]),
        (&["val/a/0.png", "test/a/1.png"], &["expected a folder train/ beside val, test"]),
        (
            &["train/a/0.png", "training/b/1.png"],
            &["expected one folder for each set, found train and training"],
        ),
        (&["a/0.png", "b/1.png"], &["at least 3 samples"]),
    ];
    for (names, expected) in rows {
        let place = Place::new();
        for name in names {
            place.write(name, b"");
            if name.ends_with(".png") {
                place.put(name, &grey(8, 8, 1));
            }
        }
        let problem = place.problem();
        for text in expected {
            assert!(problem.contains(text), "{names:?}: {problem:?} lacks {text:?}");
        }
    }
}

/// Whichever set a picture is in, its name leads to its file, decoded or from the cache.
#[test]
fn pictures_keep_the_paths_of_their_files() {
    let rows: [&[&str]; 3] = [
        &["a/0.png", "a/1.png", "a/x/2.png", "a/3.png", "b/4.png", "b/5.png", "b/6.png"],
        // The folder of an archive.
        &["photos/a/0.png", "photos/a/1.png", "photos/b/2.png", "photos/b/3.png"],
        &[
            "train/b/0.png",
            "train/a/1.png",
            "train/a/2.png",
            "val/a/3.png",
            "val/b/4.png",
            "test/a/5.png",
            "test/b/6.png",
        ],
    ];
    for names in rows {
        let place = Place::with(names);
        let first = place.path(names[0]);
        let broken = first.parent().unwrap().join("00.png");
        std::fs::write(&broken, b"no picture").unwrap();
        let options = PictureOptions { cache: Some(place.path(".cache")), ..PictureOptions::default() };
        for cached in [false, true] {
            let sets = place.load_with(&options);
            assert_eq!((sets.cached, &sets.broken[0].0), (cached, &broken), "{names:?}");
            let mut found = Vec::new();
            for set in [Some(&sets.train), sets.validation.as_ref(), Some(&sets.test)].into_iter().flatten() {
                for (at, name) in set.sample_names().unwrap().enumerate() {
                    let number =
                        names.iter().position(|path| path.split('/').eq(std::path::Path::new(name).iter()));
                    assert_eq!(Some(usize::from(set.image(at).unwrap()[0])), number, "{name}");
                    found.push(number);
                }
            }
            found.sort_unstable();
            assert_eq!(found, (0..names.len()).map(Some).collect::<Vec<_>>(), "{names:?}");
        }
    }
}

#[test]
fn classes_that_are_too_small_to_be_split_are_noted() {
    let many = |class: &str| (0..20).map(|n| format!("{class}/{n}.png")).collect::<Vec<_>>();
    // Pictures beside those of two large classes, and what is said of them.
    let rows: [(&[&str], Option<&str>); 4] = [
        (&[], None),
        (&["c/1.png", "c/2.png"], Some("class c has only 2 pictures, and is not in every set; put more in")),
        (
            &["c/1.png", "d/1.png", "d/2.png"],
            Some("classes with too few pictures to be in every set: c (1 picture), d (2 pictures); put"),
        ),
        (&["c/1.png"], Some("class c has only 1 picture, and")),
    ];
    for (more, expected) in rows {
        let names: Vec<String> =
            [many("a"), many("b"), more.iter().map(|&name| name.to_owned()).collect()].concat();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let place = Place::with(&names);
        let folder = PictureFolder::find(place.dir(), &PictureOptions::default()).unwrap();
        let said = folder.notes().iter().find(|note| note.contains("put more in"));
        let fits = said.zip(expected).map(|(said, expected)| said.starts_with(expected));
        assert_eq!(
            (fits, said.is_some()),
            (expected.map(|_| true), expected.is_some()),
            "{more:?}: {said:?}"
        );
    }
}
