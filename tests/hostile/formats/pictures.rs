//! Pictures: decoded, then made to look like the images of a model.

use std::fs;
use std::io::Cursor;

use flate2::Crc;
use image::{ColorType, DynamicImage, ImageFormat};
use shadegrad::cli::pictures::Source;

use super::{Player, Taken, told};
use crate::damage;
use crate::dice::Dice;
use crate::place::{Place, put_something_odd};

/// The sides of intact pictures; a false size in a header is bounded by the cost of decoding.
const LARGEST_SIDE: usize = 40;
/// The largest side in a hostile header of a picture that is decoded all the same.
const LARGEST_LIE: u64 = 200_000;
const COLORS: [ColorType; 6] =
    [ColorType::L8, ColorType::La8, ColorType::Rgb8, ColorType::Rgba8, ColorType::L16, ColorType::Rgba16];

pub fn picture(dice: &mut Dice, format: ImageFormat) -> Vec<u8> {
    let [width, height] = [1 + dice.below(LARGEST_SIDE), 1 + dice.below(LARGEST_SIDE)];
    let blank = dice.once_in(8);
    let pixels = if blank { vec![7; width * height] } else { dice.bytes(width * height) };
    let grey = image::GrayImage::from_raw(width as u32, height as u32, pixels).unwrap();
    let grey = DynamicImage::from(grey);
    let colored = match (format, *dice.pick(&COLORS)) {
        (ImageFormat::WebP, ColorType::Rgba8) => grey.into_rgba8().into(),
        (ImageFormat::WebP, _) => grey.into_rgb8().into(),
        (ImageFormat::Bmp, ColorType::L16 | ColorType::Rgba16 | ColorType::La8) => grey.into_rgba8().into(),
        (_, ColorType::L8) => grey,
        (ImageFormat::Jpeg, _) | (_, ColorType::Rgb8) => grey.into_rgb8().into(),
        (_, ColorType::La8) => grey.into_luma_alpha8().into(),
        (_, ColorType::Rgba8) => grey.into_rgba8().into(),
        (_, ColorType::L16) => grey.into_luma16().into(),
        _ => grey.into_rgba16().into(),
    };
    let mut bytes = Cursor::new(Vec::new());
    colored.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn read(name: &str, bytes: Vec<u8>, place: &Place, dice: &mut Dice) -> Taken {
    let path = place.clear().join(name);
    if dice.once_in(40) {
        put_something_odd(&path, place, dice);
    } else {
        fs::write(&path, bytes).unwrap();
    }
    let mut taken = false;
    match Source::all(&path, false) {
        Ok(folder) => {
            for source in folder.sources {
                match source.read() {
                    Ok(found) => {
                        taken = true;
                        let picture = found.picture;
                        let sides = [1 + dice.below(30), 1 + dice.below(30)];
                        told(picture.drawn([sides[0], sides[1], 1]));
                        told(picture.resized([sides[0], sides[1], *dice.pick(&[0, 1, 2, 3])]));
                        told(picture.fitted([dice.below(30), sides[1], *dice.pick(&[0, 1, 2, 3])]));
                    }
                    Err(error) => {
                        told::<(), _>(Err(error));
                    }
                }
            }
        }
        Err(error) => {
            told::<(), _>(Err(error));
        }
    }
    taken
}

/// A name and its content.
type Chunk = ([u8; 4], Vec<u8>);

fn chunks(png: &[u8]) -> Vec<Chunk> {
    let (mut rest, mut chunks) = (&png[8..], Vec::new());
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        let (name, after) = after.split_first_chunk().unwrap();
        chunks.push((*name, after[..length].to_vec()));
        rest = &after[length + 4..];
    }
    chunks
}

fn joined(chunks: &[Chunk]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in chunks {
        let mut crc = Crc::new();
        crc.update(name);
        crc.update(data);
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend(name);
        bytes.extend(data);
        bytes.extend(crc.sum().to_be_bytes());
    }
    bytes
}

pub struct Png;

impl Player for Png {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let whole = picture(dice, ImageFormat::Png);
        let bytes = match dice.below(4) {
            0 => damage::bytes(&whole, dice),
            _ => hostile_chunks(chunks(&whole), dice),
        };
        read("picture.png", bytes, place, dice)
    }
}

/// Chunks with other contents and valid checksums.
fn hostile_chunks(mut chunks: Vec<Chunk>, dice: &mut Dice) -> Vec<u8> {
    const NAMES: [&[u8; 4]; 8] = [b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"acTL", b"fdAT", b"IDAT", b"IEND"];
    for _ in 0..=dice.below(2) {
        let at = dice.below(chunks.len());
        match dice.below(6) {
            _ if chunks.is_empty() => {}
            0 => drop(chunks.remove(at)),
            1 => chunks.insert(dice.below(chunks.len()), chunks[at].clone()),
            2 => {
                let to = dice.below(chunks.len());
                chunks.swap(at, to);
            }
            3 => {
                let length = dice.below(40);
                chunks.insert(at, (**dice.pick(&NAMES), dice.bytes(length)));
            }
            4 if chunks[0].1.len() >= 13 => lie(&mut chunks[0].1, dice),
            _ => chunks[at].1 = damage::bytes(&chunks[at].1, dice),
        }
    }
    joined(&chunks)
}

/// Another size, depth, kind of colours, or interlacing.
fn lie(header: &mut [u8], dice: &mut Dice) {
    match dice.below(3) {
        0 => header[8..13].copy_from_slice(&dice.bytes(5)),
        1 => header[8..13].copy_from_slice(&[
            *dice.pick(&[1, 2, 4, 8, 16]),
            *dice.pick(&[0, 2, 3, 4, 6]),
            0,
            0,
            1,
        ]),
        _ => {
            let side = dice.number();
            let side = if side <= LARGEST_LIE || dice.once_in(8) { side as u32 } else { u32::MAX };
            let at = dice.below(2) * 4;
            header[at..at + 4].copy_from_slice(&side.to_be_bytes());
        }
    }
}

pub struct Jpeg;

impl Player for Jpeg {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let mut bytes = picture(dice, ImageFormat::Jpeg);
        if dice.once_in(3) {
            let turned = [b"\xff\xe1".as_slice(), &exif(dice)].concat();
            bytes.splice(2..2, turned);
        }
        let sizes = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]);
        match (dice.below(4), sizes) {
            (0, Some(at)) => {
                let side = (dice.number().min(LARGEST_LIE) as u16).to_be_bytes();
                let at = at + 5 + dice.below(2) * 2;
                bytes[at..at + 2].copy_from_slice(&side);
            }
            (1, Some(at)) => {
                let at = at + 9 + dice.below(9);
                bytes[at] = dice.word() as u8;
            }
            _ => bytes = damage::bytes(&bytes, dice),
        }
        read("picture.jpg", bytes, place, dice)
    }
}

pub struct WebP;

impl Player for WebP {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let mut bytes = picture(dice, ImageFormat::WebP);
        match dice.below(3) {
            // The length of a chunk, or of the file.
            0 => {
                let at = *dice.pick(&[4, 16]);
                bytes[at..at + 4].copy_from_slice(&(dice.number() as u32).to_le_bytes());
            }
            // The sides of a picture without losses.
            1 => {
                let at = 21 + dice.below(4);
                bytes[at] = dice.word() as u8;
            }
            _ => bytes = damage::bytes(&bytes, dice),
        }
        read("picture.webp", bytes, place, dice)
    }
}

pub struct Bmp;

impl Player for Bmp {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let mut bytes = picture(dice, ImageFormat::Bmp);
        if dice.once_in(2) {
            // Lengths of headers, sides, bits, compression, colours.
            let (at, value) = (*dice.pick(&[10, 14, 18, 22, 28, 30, 46]), dice.number() as u32);
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        } else {
            bytes = damage::bytes(&bytes, dice);
        }
        read("picture.bmp", bytes, place, dice)
    }
}

/// A segment with an orientation, or something that looks like one.
fn exif(dice: &mut Dice) -> Vec<u8> {
    let mut tiff = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    if dice.once_in(2) {
        tiff = damage::bytes(&tiff, dice);
    }
    [&(tiff.len() as u16 + 2).to_be_bytes(), tiff.as_slice()].concat()
}
