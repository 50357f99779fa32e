//! Digits of MNIST's test set as people draw, scan and photograph them: kinds of pictures, drawn the same each time.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage, Rgba, RgbaImage};

#[path = "digit.rs"]
mod digit;

pub use digit::Digit;
use digit::{LARGE, SIDE, ZOOM, enlarged};

/// Height and width of a page.
const PAGE: [usize; 2] = [300, 320];

/// A kind of picture.
pub struct Kind {
    pub name: &'static str,
    /// What is drawn.
    pub what: &'static str,
    /// Whether it must reach 85 % of the accuracy on clean pictures.
    pub asked: bool,
    /// The file's bytes and the extension of its name.
    pub draw: fn(&Digit, &mut Dice) -> (Vec<u8>, &'static str),
}

const fn kind(
    name: &'static str,
    what: &'static str,
    draw: fn(&Digit, &mut Dice) -> (Vec<u8>, &'static str),
) -> Kind {
    Kind { name, what, asked: true, draw }
}

const fn hard(
    name: &'static str,
    what: &'static str,
    draw: fn(&Digit, &mut Dice) -> (Vec<u8>, &'static str),
) -> Kind {
    Kind { name, what, asked: false, draw }
}

/// All kinds; the others are compared with the first.
pub const KINDS: &[Kind] = &[
    kind("clean", "black on white", |digit, dice| png(&digit.page(dice).over(250.0, 20.0))),
    kind("board", "white on black", |digit, dice| png(&digit.page(dice).over(15.0, 240.0))),
    kind("pencil", "weak grey on light grey", |digit, dice| png(&digit.page(dice).over(225.0, 150.0))),
    kind("black-on-clear", "black on a transparent ground", |digit, dice| {
        png_clear(&digit.page(dice), [10, 10, 10, 255])
    }),
    kind("white-on-clear", "white on a transparent ground", |digit, dice| {
        png_clear(&digit.page(dice), [255, 255, 255, 255])
    }),
    kind(
        "faint-on-clear",
        "white that is mostly transparent itself, on a transparent ground",
        |digit, dice| png_clear(&digit.page(dice), [255, 255, 255, 100]),
    ),
    kind("thin", "a pen of two pixels", |digit, dice| png(&digit.thinned().page(dice).over(252.0, 30.0))),
    kind("thick", "a marker of a sixth of the digit's height", |digit, dice| {
        png(&digit.thickened().page(dice).over(250.0, 25.0))
    }),
    kind("frame", "a dark frame of one pixel", |digit, dice| {
        let mut page = digit.page(dice).over(250.0, 20.0);
        page.frame(&[0, 1, 2, 3], 1, 0.0);
        png(&page)
    }),
    kind("thick-frame", "a dark frame of 4 to 12 pixels", |digit, dice| {
        let mut page = digit.page(dice).over(245.0, 30.0);
        page.frame(&[0, 1, 2, 3], 4 + dice.below(9), 40.0);
        png(&page)
    }),
    kind("grid", "lines of a grid on two sides", |digit, dice| {
        let mut page = digit.page(dice).over(250.0, 20.0);
        let sides = [[0, 2], [1, 3], [0, 3], [0, 1]][dice.below(4)];
        page.frame(&sides, 1 + dice.below(4), 60.0);
        png(&page)
    }),
    kind("grid-inside", "the same, some pixels from the edge", |digit, dice| {
        let mut page = digit.page(dice).over(250.0, 20.0);
        let (across, down) = (3 + dice.below(12), 3 + dice.below(12));
        page.each(|y, x, grey| if x / 2 == across || y / 2 == down { 70.0 } else { grey });
        png(&page)
    }),
    kind("speck", "one dark speck", |digit, dice| {
        let mut page = digit.page(dice).over(250.0, 20.0);
        page.specks(1, dice);
        png(&page)
    }),
    kind("specks", "twelve dark specks", |digit, dice| {
        let mut page = digit.page(dice).over(250.0, 60.0);
        page.specks(12, dice);
        png(&page)
    }),
    kind("vignette", "dark corners, as of a lens", |digit, dice| {
        let mut page = digit.page(dice).over(235.0, 50.0);
        let strength = 0.4 + 0.3 * dice.share();
        page.lit(|y, x| 1.0 - strength * ((y - 0.5).powi(2) + (x - 0.5).powi(2)) * 2.0);
        page.grain(3.0, dice);
        jpeg(&page, 80)
    }),
    kind("uneven", "light from one side, half as much at the other", |digit, dice| {
        let mut page = digit.page(dice).over(235.0, 60.0);
        let turn = dice.share() * std::f32::consts::TAU;
        page.lit(|y, x| 0.75 + 0.5 * ((y - 0.5) * turn.sin() + (x - 0.5) * turn.cos()) / 1.42);
        page.grain(3.0, dice);
        jpeg(&page, 80)
    }),
    kind("ruled", "ruled paper", |digit, dice| {
        let mut page = digit.page(dice).over(248.0, 40.0);
        let (step, first) = (28 + dice.below(16), dice.below(28));
        page.each(|y, _, grey| if y % step == first % step { grey.min(130.0) } else { grey });
        png(&page)
    }),
    kind("ruled-photo", "ruled paper, a little turned, photographed", |digit, dice| {
        let mut page = digit.page(dice).over(235.0, 50.0);
        let (step, first, rise) =
            (30.0 + 14.0 * dice.share(), 28.0 * dice.share(), 0.05 * dice.share() - 0.025);
        page.each(|y, x, grey| {
            let off = ((y as f32 - first - rise * x as f32).rem_euclid(step) - 1.0).abs();
            grey.min(235.0 - 95.0 * (1.4 - off).clamp(0.0, 1.0))
        });
        page.lit(|y, x| 1.0 - 0.2 * y - 0.1 * x);
        page.grain(4.0, dice);
        jpeg(&page, 80)
    }),
    kind("squared", "squared paper", |digit, dice| {
        let mut page = digit.page(dice).over(248.0, 40.0);
        let step = 22 + dice.below(14);
        let (down, across) = (dice.below(step), dice.below(step));
        page.each(|y, x, grey| if y % step == down || x % step == across { grey.min(160.0) } else { grey });
        png(&page)
    }),
    kind("grain", "strong noise", |digit, dice| {
        let mut page = digit.page(dice).over(220.0, 60.0);
        page.grain(22.0, dice);
        png(&page)
    }),
    kind("jpeg", "JPEG of the lowest quality", |digit, dice| jpeg(&digit.page(dice).over(230.0, 60.0), 8)),
    kind("shadow", "the sharp edge of a shadow across the page", |digit, dice| {
        let mut page = digit.page(dice).over(235.0, 40.0);
        page.shadow(0.55, dice);
        page.grain(3.0, dice);
        jpeg(&page, 85)
    }),
    kind("corner", "small, in a corner of a page of 1500 x 2000", |digit, dice| {
        let zoom = 3;
        let page = Page::holding(
            digit,
            zoom,
            [2000, 1500],
            [60 + dice.below(40), 1500 - 30 * zoom - dice.below(60)],
        );
        png(&page.over(250.0, 30.0))
    }),
    kind("tiny", "28 pixels high", |digit, dice| {
        let page = Page::shrunk(digit, [44 + dice.below(20), 40 + dice.below(20)], dice);
        png(&page.over(245.0, 25.0))
    }),
    hard("frame-turned", "a frame of 5 pixels, turned by two degrees", |digit, dice| {
        let mut page = digit.page(dice).over(245.0, 30.0);
        page.each(|y, x, grey| {
            let (y, x) = (y as f32 - 150.0, x as f32 - 160.0);
            let off = (y + 0.035 * x).abs() - 136.0;
            let beside = (x - 0.035 * y).abs() - 146.0;
            if (off.max(beside)).abs() < 2.5 { 40.0 } else { grey }
        });
        png(&page)
    }),
    hard("thick-ruled", "ruled paper, lines as dark and thick as the pen's", |digit, dice| {
        let mut page = digit.page(dice).over(250.0, 30.0);
        let (step, first) = (60 + dice.below(20), dice.below(60));
        page.each(|y, _, grey| if (y + first) % step < 9 { 30.0 } else { grey });
        png(&page)
    }),
    hard("neighbours", "parts of other digits at both sides", |digit, dice| {
        let mut page = digit.page(dice).over(250.0, 30.0);
        page.each(|y, x, grey| {
            let stroke = (x < 12 || x + 12 > 320) && (80..220).contains(&y);
            if stroke { 30.0 } else { grey }
        });
        png(&page)
    }),
    hard("two", "a second digit beside it", |digit, dice| {
        let first = digit.page(dice);
        let mut both = Page { width: 2 * first.width, ink: Vec::new(), ..first };
        for row in first.ink.chunks_exact(first.width) {
            both.ink.extend_from_slice(row);
            both.ink.extend_from_slice(row);
        }
        png(&both.over(250.0, 30.0))
    }),
];

/// Numbers that are the same each time (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn share(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// About normal, with deviation 1: a sum of twelve uniform ones.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.share()).sum::<f32>() - 6.0
    }
}

impl Digit {
    /// At a random place on a page.
    fn page(&self, dice: &mut Dice) -> Page {
        // MNIST's digits have 4 free pixels on each side.
        let free = 3 * ZOOM;
        let place = |side: usize, dice: &mut Dice| {
            dice.below(side + 2 * free - LARGE - 20) as isize - free as isize + 10
        };
        let at = [place(PAGE[0], dice), place(PAGE[1], dice)];
        let mut page = Page { height: PAGE[0], width: PAGE[1], ink: vec![0.0; PAGE[0] * PAGE[1]] };
        page.put(&self.ink, LARGE, at);
        page
    }
}

/// Ink, 0 to 1, or grey, 0 to 255.
struct Page {
    height: usize,
    width: usize,
    ink: Vec<f32>,
}

impl Page {
    fn holding(digit: &Digit, zoom: usize, [height, width]: [usize; 2], at: [usize; 2]) -> Page {
        let mut page = Page { height, width, ink: vec![0.0; height * width] };
        page.put(&enlarged(&digit.small, zoom), SIDE * zoom, at.map(|at| at as isize));
        page
    }

    /// The digit as it is, on a page of this size.
    fn shrunk(digit: &Digit, [height, width]: [usize; 2], dice: &mut Dice) -> Page {
        let at = [dice.below(height - SIDE), dice.below(width - SIDE)].map(|at| at as isize);
        let mut page = Page { height, width, ink: vec![0.0; height * width] };
        let ink: Vec<f32> = digit.small.iter().map(|value| f32::from(*value) / 255.0).collect();
        page.put(&ink, SIDE, at);
        page
    }

    fn put(&mut self, ink: &[f32], side: usize, at: [isize; 2]) {
        for (from, ink) in ink.iter().enumerate().filter(|(_, ink)| **ink > 0.0) {
            let (y, x) = ((from / side) as isize + at[0], (from % side) as isize + at[1]);
            if (0..self.height as isize).contains(&y) && (0..self.width as isize).contains(&x) {
                self.ink[y as usize * self.width + x as usize] = *ink;
            }
        }
    }

    /// Grey instead of ink.
    fn over(mut self, paper: f32, ink: f32) -> Page {
        self.ink.iter_mut().for_each(|value| *value = paper + (ink - paper) * *value);
        self
    }

    fn each(&mut self, mut grey: impl FnMut(usize, usize, f32) -> f32) {
        let width = self.width;
        self.ink.iter_mut().enumerate().for_each(|(at, value)| *value = grey(at / width, at % width, *value));
    }

    /// Sides: above, below, left, right.
    fn frame(&mut self, sides: &[usize], thickness: usize, ink: f32) {
        let (height, width) = (self.height, self.width);
        self.each(|y, x, grey| {
            let off = [y, height - 1 - y, x, width - 1 - x];
            if sides.iter().any(|side| off[*side] < thickness) { ink } else { grey }
        });
    }

    /// Discs of 2 to 5 pixels, not on the ink.
    fn specks(&mut self, count: usize, dice: &mut Dice) {
        for _ in 0..count {
            let radius = 2.0 + 3.0 * dice.share();
            let (cy, cx) = (dice.below(self.height) as f32, dice.below(self.width) as f32);
            self.each(|y, x, grey| {
                let off = (y as f32 - cy).hypot(x as f32 - cx);
                if off <= radius { 10.0 } else { grey }
            });
        }
    }

    fn lit(&mut self, light: impl Fn(f32, f32) -> f32) {
        let (height, width) = (self.height as f32, self.width as f32);
        self.each(|y, x, grey| grey * light(y as f32 / height, x as f32 / width));
    }

    fn grain(&mut self, deviation: f32, dice: &mut Dice) {
        self.each(|_, _, grey| grey + deviation * dice.normal());
    }

    /// One half of the page, divided near its middle at some angle, gets this share of the light.
    fn shadow(&mut self, light: f32, dice: &mut Dice) {
        let turn = dice.share() * std::f32::consts::TAU;
        let off = (dice.share() - 0.5) * 0.4;
        self.lit(|y, x| {
            let depth = (y - 0.5) * turn.sin() + (x - 0.5) * turn.cos() - off;
            1.0 - (1.0 - light) * (depth * 60.0 + 0.5).clamp(0.0, 1.0)
        });
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.ink.iter().map(|grey| grey.round().clamp(0.0, 255.0) as u8)
    }

    fn image(&self) -> RgbImage {
        let bytes = self.bytes().flat_map(|grey| [grey; 3]).collect();
        RgbImage::from_raw(self.width as u32, self.height as u32, bytes).unwrap()
    }
}

fn png(page: &Page) -> (Vec<u8>, &'static str) {
    let mut bytes = Cursor::new(Vec::new());
    page.image().write_to(&mut bytes, ImageFormat::Png).unwrap();
    (bytes.into_inner(), "png")
}

fn jpeg(page: &Page, quality: u8) -> (Vec<u8>, &'static str) {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&page.image()).unwrap();
    (bytes, "jpg")
}

/// Ink on a transparent background.
fn png_clear(page: &Page, [r, g, b, alpha]: [u8; 4]) -> (Vec<u8>, &'static str) {
    let image = RgbaImage::from_fn(page.width as u32, page.height as u32, |x, y| {
        let ink = page.ink[y as usize * page.width + x as usize];
        Rgba([r, g, b, (ink * f32::from(alpha)).round() as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    (bytes.into_inner(), "png")
}
