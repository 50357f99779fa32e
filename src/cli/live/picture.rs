//! An image as characters: half blocks, two pixels to a cell, or shades where colours are few.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::mistakes::Picture;
use super::theme::Colours;

const HALF: &str = "▀";
/// From dark to light.
const SHADES: [&str; 5] = [" ", "░", "▒", "▓", "█"];
/// Small images are enlarged by a whole factor up to so many pixels.
const ENLARGED: usize = 32;

impl Picture {
    /// Its size in columns and rows of characters, where there is room for so many.
    pub fn cells(&self, columns: u16, rows: u16) -> [u16; 2] {
        let [w, h] = self.scaled(columns, rows);
        [w as u16, h.div_ceil(2) as u16]
    }

    /// Its size in pixels, width and height, where there is room for so many characters: with the shape of the image.
    fn scaled(&self, columns: u16, rows: u16) -> [usize; 2] {
        let [h, w, _] = self.shape;
        let room = [usize::from(columns), 2 * usize::from(rows)];
        if w == 0 || h == 0 || columns == 0 || rows == 0 {
            return [0, 0];
        }
        let most = (ENLARGED / w.max(h)).max(1);
        let whole = (room[0] / w).min(room[1] / h).min(most);
        if whole >= 1 {
            return [w * whole, h * whole];
        }
        // One of the sides is the limit.
        let by_width = [room[0], (h * room[0]).div_ceil(w).max(1)];
        if by_width[1] <= room[1] { by_width } else { [(w * room[1] / h).max(1), room[1]] }
    }

    /// Draws it into the upper left of an area.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, colours: Colours) {
        let area = area.intersection(buffer.area);
        let size = self.scaled(area.width, area.height);
        for row in 0..size[1].div_ceil(2) {
            for column in 0..size[0] {
                let upper = self.pixel([2 * row, column], size);
                let lower =
                    if 2 * row + 1 < size[1] { self.pixel([2 * row + 1, column], size) } else { None };
                let (symbol, style) = cell(upper.unwrap_or_default(), lower, colours);
                if let Some(cell) = buffer.cell_mut((area.x + column as u16, area.y + row as u16)) {
                    cell.set_symbol(symbol).set_style(style);
                }
            }
        }
    }

    /// The mean colour of what a pixel of the scaled image stands for.
    fn pixel(&self, [y, x]: [usize; 2], [width, height]: [usize; 2]) -> Option<[u8; 3]> {
        let [h, w, c] = self.shape;
        let part = |at: usize, size: usize, of: usize| {
            let from = at * of / size;
            from..((at + 1) * of / size).max(from + 1)
        };
        let mut sums = [0; 3];
        let mut count = 0;
        for y in part(y, height, h) {
            for x in part(x, width, w) {
                let pixel = self.bytes.get((y * w + x) * c..)?.get(..c)?;
                for (sum, channel) in sums.iter_mut().zip(0..) {
                    *sum += usize::from(*pixel.get(channel.min(c.saturating_sub(1)))?);
                }
                count += 1;
            }
        }
        Some(sums.map(|sum: usize| (sum / count) as u8))
    }
}

/// The character of two pixels, one above the other.
fn cell(upper: [u8; 3], lower: Option<[u8; 3]>, colours: Colours) -> (&'static str, Style) {
    let Some(fg) = colours.nearest(upper) else {
        let light =
            |[r, g, b]: [u8; 3]| (299 * usize::from(r) + 587 * usize::from(g) + 114 * usize::from(b)) / 1000;
        let mean = lower.map_or(light(upper), |lower| light(upper).midpoint(light(lower)));
        return (SHADES[mean * SHADES.len() / 256], Style::new());
    };
    let style = Style::new().fg(fg);
    (HALF, lower.and_then(|lower| colours.nearest(lower)).map_or(style, |bg| style.bg(bg)))
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::*;

    fn picture(shape: [usize; 3], bytes: impl Fn(usize) -> u8) -> Picture {
        Picture { shape, bytes: (0..shape.iter().product()).map(bytes).collect() }
    }

    #[test]
    fn it_keeps_its_shape_in_any_room() {
        let rows = [
            ([28, 28, 1], [28, 14], [28, 14]),
            ([28, 28, 1], [80, 50], [28, 14]),
            ([28, 28, 1], [40, 7], [14, 7]),
            ([28, 28, 1], [10, 7], [10, 5]),
            ([32, 32, 3], [60, 8], [16, 8]),
            ([8, 8, 1], [20, 20], [16, 8]),
            ([64, 32, 1], [16, 16], [16, 16]),
            ([28, 28, 1], [1, 1], [1, 1]),
            ([28, 28, 1], [0, 3], [0, 0]),
        ];
        for (shape, [columns, rows], expected) in rows {
            let found = picture(shape, |_| 0).cells(columns, rows);
            assert_eq!(found, expected, "{shape:?} in {columns}x{rows}");
        }
    }

    #[test]
    fn two_pixels_share_a_cell() {
        let area = Rect::new(0, 0, 2, 1);
        let mut buffer = Buffer::empty(area);
        picture([2, 2, 1], |at| [0, 255, 255, 0][at]).draw(area, &mut buffer, Colours::All);
        let seen = |x: u16| {
            let cell = &buffer[(x, 0)];
            (cell.symbol().to_owned(), cell.fg, cell.bg)
        };
        let [black, white] = [0, 255].map(|level| Color::Rgb(level, level, level));
        assert_eq!(seen(0), (HALF.to_owned(), black, white));
        assert_eq!(seen(1), (HALF.to_owned(), white, black));
    }

    #[test]
    fn shades_stand_for_colours() {
        let area = Rect::new(0, 0, 2, 1);
        let mut buffer = Buffer::empty(area);
        picture([2, 2, 3], |at| if at % 6 < 3 { 255 } else { 60 }).draw(area, &mut buffer, Colours::Sixteen);
        assert_eq!((buffer[(0, 0)].symbol(), buffer[(1, 0)].symbol()), ("█", "░"));
        assert_eq!(buffer[(0, 0)].fg, Color::Reset);
    }
}
