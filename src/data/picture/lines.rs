//! Frames and lines from edge to edge, which are not part of a drawing.

use super::pixels::{median, quantile};
use crate::data::resample::Plane;

/// A frame takes at most this share of a side.
const FRAME: f32 = 0.15;
/// A row of pixels belongs to a frame if at least the first share of it differs from the paper, and to a ruled line
/// if at least the second share is inked.
const COVERED: f32 = 0.8;
const RULED: f32 = 0.9;
/// A frame ends where the grey jumps by this share of the picture's contrast.
const JUMP: f32 = 0.2;
/// Ruled lines are at most this share of the side thick, or this many pixels.
const THIN: f32 = 0.03;
const THIN_PIXELS: usize = 3;
/// Lines may rise by this share of their length; this many slopes are tried in each direction.
const SLOPE: f32 = 0.04;
const SLOPES: isize = 8;
/// A line ends at most this share of the side before the edge.
const SHORT: f32 = 0.03;

/// Part of a plane: `[top, left]` and `[height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inside {
    pub corner: [usize; 2],
    pub size: [usize; 2],
}

/// The plane without a frame, or lines along some of its edges.
pub(super) fn without_frame(plane: &Plane) -> Inside {
    let mut greys = plane.values.clone();
    let paper = median(&mut greys);
    let contrast = quantile(&mut greys, 0.99) - quantile(&mut greys, 0.01);
    let (height, width) = (plane.height, plane.width);
    let line = |side: usize, at: usize| -> Vec<f32> {
        match side {
            0 => plane.values[at * width..][..width].to_vec(),
            1 => plane.values[(height - 1 - at) * width..][..width].to_vec(),
            2 => (0..height).map(|y| plane.values[y * width + at]).collect(),
            _ => (0..height).map(|y| plane.values[y * width + width - 1 - at]).collect(),
        }
    };
    let thickness = |side: usize| {
        let length = if side < 2 { height } else { width };
        let most = (length as f32 * FRAME) as usize;
        let middles: Vec<(f32, bool)> = (0..most + 2)
            .take_while(|at| *at < length)
            .map(|at| {
                let mut greys = line(side, at);
                let far = |grey: &&f32| (**grey - paper).abs() > JUMP * contrast.max(1.0);
                let covered = greys.iter().filter(far).count() as f32 >= COVERED * greys.len() as f32;
                (median(&mut greys), covered)
            })
            .collect();
        let framed = middles.iter().take(most).take_while(|(_, covered)| *covered).count();
        // One more row may be half frame and half paper.
        let beyond = (framed + 1).min(middles.len().saturating_sub(1));
        let jumps = framed > 0 && (middles[framed - 1].0 - middles[beyond].0).abs() > JUMP * contrast;
        if jumps { beyond } else { 0 }
    };
    let [top, bottom, left, right] = [0, 1, 2, 3].map(thickness);
    Inside { corner: [top, left], size: [height - top - bottom, width - left - right] }
}

/// Which pixels of a plane are inked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mask {
    pub height: usize,
    pub width: usize,
    /// `[height, width]`.
    pub inked: Vec<bool>,
}

impl Mask {
    pub fn of(plane: &Plane, inked: impl Fn(f32) -> bool) -> Self {
        let inked = plane.values.iter().map(|value| inked(*value)).collect();
        Mask { height: plane.height, width: plane.width, inked }
    }

    fn turned(&self) -> Mask {
        let column = |x: usize| (0..self.height).map(move |y| self.inked[y * self.width + x]);
        Mask { height: self.width, width: self.height, inked: (0..self.width).flat_map(column).collect() }
    }

    /// Without ruled lines, level and upright, and how many there were. A stroke that crosses a line stays.
    pub fn without_lines(&self) -> (Mask, usize) {
        let (level, rows) = self.without_level_lines();
        let (upright, columns) = level.turned().without_level_lines();
        (upright.turned(), rows + columns)
    }

    fn without_level_lines(&self) -> (Mask, usize) {
        let mut rest = self.clone();
        let mut found = 0;
        let steepest = (self.width as f32 * SLOPE) as isize;
        let mut rises: Vec<isize> = (-SLOPES..=SLOPES).map(|step| steepest * step / SLOPES).collect();
        rises.dedup();
        for (y, rise) in (0..self.height).flat_map(|y| rises.iter().map(move |rise| (y, *rise))) {
            if rest.is_line(y, rise) {
                found += usize::from(rest.erase(self, y, rise));
            }
        }
        (rest, found)
    }

    /// The row of a line at a column; `None` outside the mask.
    fn row(&self, y: usize, rise: isize, x: usize) -> Option<usize> {
        y.checked_add_signed(rise * x as isize / self.width as isize).filter(|row| *row < self.height)
    }

    /// Whether pixels are inked from edge to edge, in this row or the next.
    fn is_line(&self, y: usize, rise: isize) -> bool {
        let inked = |x: usize| {
            self.row(y, rise, x).is_some_and(|row| {
                let at = row * self.width + x;
                self.inked[at] || self.inked.get(at + self.width).is_some_and(|below| *below)
            })
        };
        let short = (self.width as f32 * SHORT) as usize;
        let ends = |mut columns: std::ops::RangeInclusive<usize>| columns.any(inked);
        let last = self.width - 1;
        // Most lines fail at their ends, which keeps this cheap.
        ends(0..=short.min(last))
            && ends(last.saturating_sub(short)..=last)
            && (0..self.width).filter(|x| inked(*x)).count() as f32 >= RULED * self.width as f32
    }

    /// Erases the thin parts of a line; thick parts are not of a ruled line. `whole` is the mask before any was
    /// erased.
    fn erase(&mut self, whole: &Mask, y: usize, rise: isize) -> bool {
        let runs: Vec<_> = (0..self.width)
            .filter_map(|x| {
                let row = self.row(y, rise, x)?;
                let inked = |row: usize| row < self.height && whole.inked[row * self.width + x];
                let start = [row, row + 1].into_iter().find(|row| inked(*row))?;
                let top = (0..=start).rev().take_while(|row| inked(*row)).last()?;
                let end = (start..).find(|row| !inked(*row))?;
                Some((x, top, end))
            })
            .collect();
        let mut lengths: Vec<f32> = runs.iter().map(|(_, top, end)| (end - top) as f32).collect();
        if lengths.is_empty() {
            return false;
        }
        let thickness = median(&mut lengths) as usize;
        if thickness > THIN_PIXELS.max((self.height as f32 * THIN) as usize) {
            return false;
        }
        for (x, top, end) in runs.into_iter().filter(|(_, top, end)| end - top <= thickness + 2) {
            (top..end).for_each(|row| self.inked[row * self.width + x] = false);
        }
        true
    }
}
