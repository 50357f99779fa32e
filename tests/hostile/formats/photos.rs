//! Folders of pictures: odd names, damaged pictures, links, and a damaged cache.

use std::fs;
use std::path::{Path, PathBuf};

use image::ImageFormat;
use shadegrad::data::{PictureOptions, load_pictures};

use super::pictures::picture;
use super::{Player, Taken, told};
use crate::damage;
use crate::dice::Dice;
use crate::place::{Place, put_something_odd};

const FOLDERS: [&str; 12] =
    ["a", "b", "c", "train", "val", "test", "Validation", " ", "line\nbreak", ".hidden", "__MACOSX", "é"];
const FILES: [&str; 8] = ["0.png", "1.jpg", "2.webp", "3.bmp", "4.PNG", "notes.txt", "Thumbs.db", "\n.png"];
const FORMATS: [ImageFormat; 4] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Bmp];

/// Cases share what was decoded before, as runs do.
pub struct Photos {
    cache: tempfile::TempDir,
}

impl Photos {
    pub fn new() -> Self {
        Photos { cache: tempfile::tempdir().unwrap() }
    }
}

impl Player for Photos {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let root = place.clear().join("photos");
        let mut folders = vec![root.clone()];
        for _ in 0..dice.below(8) {
            folders.push(dice.pick(&folders).join(dice.pick(&FOLDERS)));
        }
        // Something may be in the way of a folder.
        folders.retain(|folder| fs::create_dir_all(folder).is_ok());
        for _ in 0..dice.below(20) {
            let folder = dice.pick(&folders).clone();
            put(&folder, place, dice);
        }
        let options = PictureOptions {
            size: dice.once_in(2).then(|| [dice.below(40), dice.below(40)]),
            channels: dice.once_in(4).then(|| dice.below(5)),
            split_seed: dice.word(),
            cache: dice.once_in(2).then(|| self.cache.path().to_owned()),
        };
        let taken = told(load_pictures(&root, &options));
        if options.cache.is_some() {
            self.damage_cache(dice);
            assert_eq!(told(load_pictures(&root, &options)), taken, "a damaged cache changes the outcome");
        }
        taken
    }
}

impl Photos {
    fn damage_cache(&self, dice: &mut Dice) {
        let files: Vec<PathBuf> =
            fs::read_dir(self.cache.path()).unwrap().map(|file| file.unwrap().path()).collect();
        for file in files {
            if dice.once_in(3) {
                let damaged = damage::bytes(&fs::read(&file).unwrap(), dice);
                // What is mapped must not change: it gets another file of the name.
                fs::remove_file(&file).unwrap();
                fs::write(file, damaged).unwrap();
            } else {
                fs::remove_file(file).unwrap();
            }
        }
    }
}

/// A file, whole or not, or something in its place.
fn put(folder: &Path, place: &Place, dice: &mut Dice) {
    let path = folder.join(dice.pick(&FILES));
    if path.symlink_metadata().is_ok() {
        return;
    }
    match dice.below(10) {
        0 => put_something_odd(&path, place, dice),
        1 | 2 => {
            let format = *dice.pick(&FORMATS);
            let whole = picture(dice, format);
            fs::write(path, damage::bytes(&whole, dice)).unwrap();
        }
        _ => {
            let format = *dice.pick(&FORMATS);
            fs::write(path, picture(dice, format)).unwrap();
        }
    }
}
