//! Numbers as images embedded in the page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::ReportError;
use crate::io::png::png;

type Rgb = [u8; 3];

/// The longest side of a sample or a map in the page; larger ones are reduced.
const LONGEST_SIDE: usize = 112;

/// The colour between tiles, and after a short last row: it is at neither end of a scale.
const GAP: Rgb = [128, 128, 128];
const WHITE: Rgb = [255, 255, 255];
const NEGATIVE: Rgb = [33, 102, 172];
const POSITIVE: Rgb = [178, 24, 43];
/// The colours of heat from half of the most to the most: they stand out from black, grey and white.
const WARM: Rgb = [255, 176, 32];
const HOT: Rgb = [222, 24, 24];
/// How bright a picture is under heat, so that white lets it be seen.
const DIMMED: f32 = 0.7;
/// How much of the picture the most heat covers.
const COVER: f32 = 0.72;

/// An image that the page embeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// The value of its `src` attribute.
    pub uri: String,
    /// In pixels.
    pub width: usize,
    /// How many pixels of the original, along each side, make one of its own.
    pub reduced: usize,
}

/// Which colour a number gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// From 0, black, to the largest value, white.
    Grey { most: f32 },
    /// From blue through white, which is 0, to red.
    Signed { most: f32 },
}

impl Scale {
    /// The scale that covers all of these values.
    pub fn of(values: &[f32]) -> Self {
        let most = values.iter().fold(0f32, |most, value| most.max(value.abs()));
        if values.iter().any(|&value| value < 0.0) { Scale::Signed { most } } else { Scale::Grey { most } }
    }

    /// The grey scale on which the largest hundredth of these values, none of which is below 0, is white; only the largest, where no
    /// more are above 0.
    pub fn to_largest_hundredth(values: &[f32]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f32::total_cmp);
        let end = sorted.len().saturating_sub(sorted.len() / 100);
        let most = sorted[..end].last().filter(|&&most| most > 0.0).or(sorted.last());
        Scale::Grey { most: most.copied().unwrap_or_default() }
    }

    fn color(self, value: f32) -> Rgb {
        let (Scale::Grey { most } | Scale::Signed { most }) = self;
        let part = if most > 0.0 { (value / most).clamp(-1.0, 1.0) } else { 0.0 };
        let blend = |end: Rgb| {
            std::array::from_fn(|at| {
                let (from, to) = (f32::from(WHITE[at]), f32::from(end[at]));
                (from + (to - from) * part.abs()).round() as u8
            })
        };
        match self {
            Scale::Grey { .. } => [(part * 255.0).round() as u8; 3],
            Scale::Signed { .. } => blend(if part < 0.0 { NEGATIVE } else { POSITIVE }),
        }
    }

    /// The scale in words.
    pub fn legend(self) -> String {
        match self {
            Scale::Grey { most } => format!("black is 0, white is {most:.3}"),
            Scale::Signed { most } => {
                format!("blue is -{most:.3}, white is 0, red is {most:.3}")
            }
        }
    }
}

/// A sample `[h, w, c]` as it is fed to the model: grey, or in its three colours; with any other number of channels,
/// their mean.
pub fn sample([h, w, c]: [usize; 3], bytes: &[u8]) -> Result<Image, ReportError> {
    let (pixels, _) = pixels([h, w, c], bytes);
    image(shown_size([h, w]), &pixels, reduction(h, w))
}

/// A sample in dimmed grey, under the heat of a map of the size at which it is shown: from 0, which covers nothing, over yellow to red, the
/// map's largest value.
pub fn overlay([h, w, c]: [usize; 3], bytes: &[u8], map: &[f32]) -> Result<Image, ReportError> {
    let (pixels, channels) = pixels([h, w, c], bytes);
    let most = map.iter().fold(0f32, |most, &value| most.max(value));
    let heated = |(pixel, &value): (&[u8], &f32)| {
        let grey = DIMMED * pixel.iter().map(|&byte| f32::from(byte)).sum::<f32>() / channels as f32;
        heat(if most > 0.0 { value / most } else { 0.0 }).over(grey)
    };
    let covered: Vec<Rgb> = pixels.chunks_exact(channels).zip(map).map(heated).collect();
    image(shown_size([h, w]), covered.as_flattened(), reduction(h, w))
}

/// A colour that lets a part of what is behind it through.
struct Heat {
    color: Rgb,
    /// From 0 to 1.
    cover: f32,
}

impl Heat {
    fn over(&self, grey: f32) -> Rgb {
        self.color.map(|part| (grey + (f32::from(part) - grey) * self.cover).round() as u8)
    }
}

/// The colour of a share of the most.
fn heat(share: f32) -> Heat {
    let part = (2.0 * share - 1.0).clamp(0.0, 1.0);
    let blend = |at: usize| f32::from(WARM[at]) + (f32::from(HOT[at]) - f32::from(WARM[at])) * part;
    let color = std::array::from_fn(|at| blend(at).round() as u8);
    Heat { color, cover: COVER * share.clamp(0.0, 1.0) }
}

/// The colours of heat from 0 to the most, as a CSS value.
pub fn heat_gradient() -> String {
    let stop = |share: f32| {
        let Heat { color: [r, g, b], cover } = heat(share);
        format!("rgba({r},{g},{b},{cover:.2})")
    };
    format!("linear-gradient(to right,{},{},{})", stop(0.0), stop(0.5), stop(1.0))
}

/// The pixels of a sample at the size at which it is shown, and how many channels they have: 1 or 3.
fn pixels([h, w, c]: [usize; 3], bytes: &[u8]) -> (Vec<u8>, usize) {
    let (pixels, channels) = match c {
        1 | 3 => (bytes.to_vec(), c),
        _ => {
            let mean = |pixel: &[u8]| (pixel.iter().map(|&byte| usize::from(byte)).sum::<usize>() / c) as u8;
            (bytes.chunks_exact(c).map(mean).collect(), 1)
        }
    };
    let by = reduction(h, w);
    if by == 1 {
        return (pixels, channels);
    }
    let channel =
        |channel| pixels.iter().skip(channel).step_by(channels).map(|&byte| f32::from(byte)).collect();
    let reduced: Vec<Vec<f32>> = (0..channels).map(|at| reduced([h, w], channel(at), by)).collect();
    let pixel = |at: usize| reduced.iter().map(move |channel| channel[at].round() as u8);
    ((0..reduced.first().map_or(0, Vec::len)).flat_map(pixel).collect(), channels)
}

/// The size `[height, width]` at which a sample or a map of this size is shown.
pub fn shown_size([h, w]: [usize; 2]) -> [usize; 2] {
    let by = reduction(h, w);
    [h, w].map(|side| (side / by).max(1))
}

/// The factor by which the sides of a map are reduced.
fn reduction(h: usize, w: usize) -> usize {
    h.max(w).div_ceil(LONGEST_SIDE).max(1)
}

/// A map `[h, w]` reduced to the means of blocks of `by` values along each side; an incomplete block is left out,
/// unless nothing would remain.
fn reduced([h, w]: [usize; 2], map: Vec<f32>, by: usize) -> Vec<f32> {
    if by == 1 {
        return map;
    }
    let block = |length: usize, at: usize| at * by..((at + 1) * by).min(length);
    let mean = |top: usize, left: usize| {
        let (rows, columns) = (block(h, top), block(w, left));
        let count = (rows.len() * columns.len()) as f32;
        rows.flat_map(|y| columns.clone().map(move |x| (y, x))).map(|(y, x)| map[y * w + x]).sum::<f32>()
            / count
    };
    let [rows, columns] = [h, w].map(|side| (side / by).max(1));
    (0..rows)
        .flat_map(|top| (0..columns).map(move |left| (top, left)))
        .map(|(top, left)| mean(top, left))
        .collect()
}

/// Maps `[h, w]` side by side, this many to a row, with this many pixels around each. Large ones are reduced.
pub fn tiles(
    [h, w]: [usize; 2],
    maps: &[Vec<f32>],
    columns: usize,
    gap: usize,
    scale: Scale,
) -> Result<Image, ReportError> {
    let by = reduction(h, w);
    let maps: Vec<_> = maps.iter().map(|map| reduced([h, w], map.clone(), by)).collect();
    let [h, w] = shown_size([h, w]);
    let columns = columns.min(maps.len()).max(1);
    let rows = maps.len().div_ceil(columns);
    let side = |tiles: usize, pixels: usize| tiles * (pixels + gap) + gap;
    let (height, width) = (side(rows, h), side(columns, w));
    let mut pixels = vec![GAP; height * width];
    for (at, map) in maps.iter().enumerate() {
        let (top, left) = (side(at / columns, h), side(at % columns, w));
        for (y, row) in map.chunks_exact(w).enumerate() {
            for (x, &value) in row.iter().enumerate() {
                pixels[(top + y) * width + left + x] = scale.color(value);
            }
        }
    }
    image([height, width], pixels.as_flattened(), by)
}

fn image([height, width]: [usize; 2], pixels: &[u8], reduced: usize) -> Result<Image, ReportError> {
    let file =
        png(height, width, pixels).map_err(|error| ReportError::Image { problem: error.to_string() })?;
    Ok(Image { uri: format!("data:image/png;base64,{}", STANDARD.encode(file)), width, reduced })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(image: &Image) -> image::RgbImage {
        let data = image.uri.strip_prefix("data:image/png;base64,").unwrap();
        image::load_from_memory(&STANDARD.decode(data).unwrap()).unwrap().into_rgb8()
    }

    #[test]
    fn tiles_stand_where_they_should() {
        let maps = [vec![0.0, 2.0], vec![1.0, 0.0], vec![2.0, 2.0]];
        let found = decode(&tiles([1, 2], &maps, 2, 1, Scale::of(&maps.concat())).unwrap());
        let row = |y| (0..7).map(|x| found.get_pixel(x, y).0[0]).collect::<Vec<_>>();
        let gap = GAP[0];
        assert_eq!(found.dimensions(), (7, 5));
        assert_eq!(row(0), [gap; 7]);
        assert_eq!(row(1), [gap, 0, 255, gap, 128, 0, gap]);
        assert_eq!(row(3), [gap, 255, 255, gap, gap, gap, gap]);
    }

    #[test]
    fn colours_tell_signs() {
        let scale = Scale::of(&[-4.0, 2.0]);
        assert_eq!(scale, Scale::Signed { most: 4.0 });
        assert_eq!([scale.color(-4.0), scale.color(0.0), scale.color(4.0)], [NEGATIVE, WHITE, POSITIVE]);
        assert_eq!(Scale::of(&[0.0, 0.0]).color(0.0), [0; 3]);
        let values: Vec<f32> = (0..200).rev().map(|value| value as f32).collect();
        for (values, most) in [
            (&values[..], 197.0),
            (&values[190..], 9.0),
            (&[vec![0.0; 199], vec![7.0]].concat()[..], 7.0),
            (&[][..], 0.0),
        ] {
            assert_eq!(Scale::to_largest_hundredth(values), Scale::Grey { most });
        }
        assert_eq!(scale.legend(), "blue is -4.000, white is 0, red is 4.000");
    }

    #[test]
    fn large_pictures_are_reduced() {
        // [h, w, c], by how much, [h, w] of the picture
        let rows = [
            ([112, 112, 1], 1, [112, 112]),
            ([113, 112, 1], 2, [56, 56]),
            ([448, 300, 3], 4, [112, 75]),
            ([3000, 2, 1], 27, [111, 1]),
        ];
        for (shape, by, [h, w]) in rows {
            let pixels = vec![9; shape.iter().product()];
            let found = sample(shape, &pixels).unwrap();
            let decoded = decode(&found);
            assert_eq!((found.reduced, decoded.dimensions()), (by, (w as u32, h as u32)), "{shape:?}");
            assert!(decoded.pixels().all(|pixel| pixel.0 == [9; 3]), "{shape:?}");
        }
        assert_eq!(reduced([2, 4], vec![1.0, 3.0, 5.0, 5.0, 1.0, 3.0, 5.0, 9.0], 2), [2.0, 6.0]);
        let maps = vec![vec![1.0; 300 * 300]; 3];
        let found = tiles([300, 300], &maps, 2, 1, Scale::of(&maps.concat())).unwrap();
        assert_eq!((found.reduced, found.width), (3, 2 * 101 + 1));
    }

    #[test]
    fn samples_keep_their_bytes() {
        let bytes: Vec<u8> = (0..12).collect();
        let grey = decode(&sample([3, 4, 1], &bytes).unwrap());
        assert_eq!(grey.get_pixel(1, 2).0, [9; 3]);
        let colour = decode(&sample([2, 2, 3], &bytes).unwrap());
        assert_eq!(colour.get_pixel(1, 1).0, [9, 10, 11]);
        let mean = decode(&sample([3, 2, 2], &bytes).unwrap());
        assert_eq!(mean.get_pixel(0, 1).0, [4; 3]);
    }

    #[test]
    fn heat_covers_more_the_more_there_is() {
        // (shape, pixels, map, colours)
        let cover = |grey: u8, [r, g, b]: Rgb, share: f32| {
            [r, g, b].map(|part| {
                let grey = DIMMED * f32::from(grey);
                (grey + (f32::from(part) - grey) * COVER * share).round() as u8
            })
        };
        let rows = [
            // None, half and all of the most.
            (
                [1, 3, 1],
                vec![40, 200, 0],
                vec![0.0, 2.0, 4.0],
                [cover(40, WARM, 0.0), cover(200, WARM, 0.5), cover(0, HOT, 1.0)],
            ),
            // Colours are shown grey under it.
            ([1, 3, 3], vec![0, 30, 60, 9, 9, 9, 0, 0, 255], vec![0.0; 3], [[21; 3], [6; 3], [60; 3]]),
        ];
        for (shape, bytes, map, expected) in rows {
            let found = decode(&overlay(shape, &bytes, &map).unwrap());
            let found: Vec<Rgb> = found.pixels().map(|pixel| pixel.0).collect();
            assert_eq!(found, expected, "{shape:?}");
        }
        assert!(
            heat_gradient().contains("rgba(255,176,32,0.36),rgba(222,24,24,0.72)"),
            "{}",
            heat_gradient()
        );
        // A number that is none covers nothing that could be seen, and is no panic.
        assert!(overlay([1, 1, 1], &[5], &[f32::NAN]).is_ok());
        let large = overlay([226, 113, 1], &[9; 226 * 113], &vec![0.0; 75 * 37]).unwrap();
        assert_eq!((large.reduced, large.width), (3, 37));
    }
}
