//! Samples of a data set as one picture: a row for each class, with its name.

use font8x8::{BASIC_FONTS, BLOCK_FONTS, GREEK_FONTS, LATIN_FONTS, UnicodeFonts};
use image::error::ImageResult;

use crate::data::Dataset;
use crate::io::png::png;

/// Samples in a row, spread over those of the class.
const COLUMNS: usize = 10;
/// The most classes that get a row.
const MOST_ROWS: usize = 200;
/// Images are enlarged by a whole factor up to this many pixels.
const SIDE: usize = 64;
/// Of larger images every second pixel is shown, or every third and so on, until both sides are at most this.
const LARGEST_SIDE: usize = 128;
const GAP: usize = 4;
/// Pixels of a letter, and how much it is enlarged.
const LETTER: usize = 8;
const ZOOM: usize = 2;
/// The most letters of a name.
const MOST_LETTERS: usize = 24;
const PAPER: u8 = 255;
const INK: u8 = 0;
/// What stands for letters that there is no picture of.
const UNKNOWN: char = '?';

/// The bytes of a PNG file.
///
/// # Errors
/// When it cannot be encoded.
pub fn sheet(data: &Dataset, [h, w, c]: [usize; 3], names: &[String]) -> ImageResult<Vec<u8>> {
    let zoom = (SIDE / h.max(w)).max(1);
    let step = h.max(w).div_ceil(LARGEST_SIDE);
    let [tall, wide] = [h, w].map(|side| side.div_ceil(step) * zoom);
    let letters = |name: &String| name.chars().count().min(MOST_LETTERS);
    let rows = names.len().min(MOST_ROWS);
    let margin = names.iter().take(rows).map(letters).max().unwrap_or(0) * LETTER * ZOOM;
    let line = tall.max(LETTER * ZOOM) + GAP;
    let mut canvas = Canvas::new(rows * line + GAP, margin + COLUMNS * (wide + GAP) + 2 * GAP);
    for (class, name) in names.iter().take(rows).enumerate() {
        let top = GAP + class * line;
        canvas.write([top + (line - GAP - LETTER * ZOOM) / 2, GAP], name);
        for (column, sample) in samples(data, class as u32).into_iter().enumerate() {
            let Some(image) = data.image(sample) else { continue };
            let left = margin + 2 * GAP + column * (wide + GAP);
            for y in 0..tall {
                for x in 0..wide {
                    let pixel = &image[(y / zoom * w + x / zoom) * step * c..][..c];
                    canvas
                        .set([top + y, left + x], [0, 1, 2].map(|channel: usize| pixel[channel.min(c - 1)]));
                }
            }
        }
    }
    png(canvas.height, canvas.width, &canvas.pixels)
}

/// Some of the samples of a class, at even distances.
fn samples(data: &Dataset, class: u32) -> Vec<usize> {
    let all: Vec<usize> = (0..data.len()).filter(|&at| data.labels()[at] == class).collect();
    let taken = all.len().min(COLUMNS);
    (0..taken).map(|at| all[at * all.len() / taken]).collect()
}

/// Red, green and blue, row by row.
struct Canvas {
    height: usize,
    width: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    fn new(height: usize, width: usize) -> Self {
        Canvas { height, width, pixels: vec![PAPER; height * width * 3] }
    }

    fn set(&mut self, [y, x]: [usize; 2], colour: [u8; 3]) {
        let at = (y * self.width + x) * 3;
        if let Some(pixel) = self.pixels.get_mut(at..at + 3) {
            pixel.copy_from_slice(&colour);
        }
    }

    /// A text that begins at this place.
    fn write(&mut self, [top, left]: [usize; 2], text: &str) {
        for (at, letter) in text.chars().take(MOST_LETTERS).enumerate() {
            for (y, row) in drawn(letter).into_iter().enumerate() {
                for x in (0..LETTER).filter(|x| row >> x & 1 == 1) {
                    for dot in 0..ZOOM * ZOOM {
                        let place =
                            [top + y * ZOOM + dot / ZOOM, left + (at * LETTER + x) * ZOOM + dot % ZOOM];
                        self.set(place, [INK; 3]);
                    }
                }
            }
        }
    }
}

/// A letter, a byte for each row, its lowest bit at the left.
fn drawn(letter: char) -> [u8; LETTER] {
    let found =
        BASIC_FONTS.get(letter).or_else(|| LATIN_FONTS.get(letter)).or_else(|| GREEK_FONTS.get(letter));
    found.or_else(|| BLOCK_FONTS.get(letter)).or_else(|| BASIC_FONTS.get(UNKNOWN)).unwrap_or_default()
}
