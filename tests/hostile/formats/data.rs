//! IDX files, plain and compressed, and folders of four of them.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use shadegrad::data::{idx, load_dir, load_set};

use super::{Player, Taken, told};
use crate::damage;
use crate::dice::Dice;
use crate::place::{Place, put_something_odd};

const IMAGES: [u32; 3] = [5, 4, 3];

/// An IDX file; its dimensions need not be true.
fn idx_file(dimensions: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    dimensions.iter().for_each(|dimension| bytes.extend(dimension.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

fn images() -> Vec<u8> {
    idx_file(&IMAGES, &[9; 60])
}

fn labels() -> Vec<u8> {
    idx_file(&IMAGES[..1], &[0, 1, 2, 1, 0])
}

pub(super) fn gzip(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Damaged, or with a header that says something else.
fn hostile(whole: &[u8], dice: &mut Dice) -> Vec<u8> {
    if dice.once_in(2) {
        return damage::bytes(whole, dice);
    }
    let dimensions: Vec<u32> = (0..dice.below(6)).map(|_| dice.number() as u32).collect();
    let elements = dice.below(80);
    let mut bytes = idx_file(&dimensions, &dice.bytes(elements));
    if dice.once_in(3) {
        let at = dice.below(4);
        damage::number(&mut bytes, at, dice);
    }
    bytes
}

fn read(bytes: &[u8]) -> Taken {
    let images = told(idx::images_from_bytes("images", bytes));
    told(idx::labels_from_bytes("labels", bytes)) || images
}

pub struct Idx;

impl Player for Idx {
    fn play(&self, _: &Place, dice: &mut Dice) -> Taken {
        let whole = if dice.once_in(2) { images() } else { labels() };
        read(&hostile(&whole, dice))
    }
}

pub struct Gzip {
    whole: Vec<Vec<u8>>,
    /// A file that is a thousand times as large when unpacked.
    bomb: Vec<u8>,
}

impl Gzip {
    pub fn new() -> Self {
        let levels = [Compression::none(), Compression::fast(), Compression::best()];
        let whole = levels.iter().flat_map(|&level| [gzip(&images(), level), gzip(&labels(), level)]);
        let bomb = gzip(&idx_file(&[1 << 21], &vec![0; 1 << 21]), Compression::best());
        Gzip { whole: whole.collect(), bomb }
    }

    fn any(&self, dice: &mut Dice) -> Vec<u8> {
        dice.pick(&self.whole).clone()
    }
}

impl Player for Gzip {
    fn play(&self, _: &Place, dice: &mut Dice) -> Taken {
        let bytes = match dice.below(8) {
            // Intact outside, hostile inside.
            0..3 => gzip(&hostile(&images(), dice), Compression::fast()),
            3 => [self.any(dice), self.any(dice)].concat(),
            4 if dice.once_in(20) => damage::bytes(&self.bomb, dice),
            _ => damage::bytes(&self.any(dice), dice),
        };
        read(&bytes)
    }
}

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];
const OTHER_NAMES: [&str; 5] = [
    "train-images.idx3-ubyte",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz.gz",
    ".hidden",
    "\u{202e}x",
];

pub struct Folder {
    gzip: Gzip,
}

impl Folder {
    pub fn new() -> Self {
        Folder { gzip: Gzip::new() }
    }
}

impl Player for Folder {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let case = place.clear();
        for (at, name) in NAMES.iter().enumerate() {
            fs::write(case.join(name), if at % 2 == 0 { images() } else { labels() }).unwrap();
        }
        for _ in 0..=dice.below(2) {
            let path = case.join(dice.pick(&NAMES));
            match dice.below(4) {
                0 => put_something_odd(&path, place, dice),
                1 => {
                    let to = case.join(dice.pick(&OTHER_NAMES));
                    let _ = fs::rename(&path, to);
                }
                _ if !path.is_file() => {}
                2 => {
                    let hidden = hostile(&images(), dice);
                    let _ = fs::remove_file(&path);
                    fs::write(&path, hidden).unwrap();
                }
                _ => {
                    let packed = self.gzip.any(dice);
                    let _ = fs::remove_file(&path);
                    fs::write(path.with_extension("gz"), &packed).unwrap();
                    fs::write(&path, packed).unwrap();
                }
            }
        }
        let whole = told(load_dir(&case));
        told(load_set(&case)) || whole
    }
}
