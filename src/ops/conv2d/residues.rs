//! The taps that meet positions of a part of the input, and what they see of the output's gradient, as a matrix.

use std::ops::Range;

use super::part::ImagePart;
use super::shape::ConvShape;
use crate::ops::kit::*;

/// Positions along one side of the part whose places in the input leave the same rest by the stride.
#[derive(Debug, Clone)]
struct Side {
    /// The first of them, in the part; the next one is a stride away.
    first: usize,
    /// How many there are.
    count: usize,
    /// The taps that meet them, the last tap first, each with the output that it sees from the first position: it may be outside,
    /// and grows along the list.
    taps: Vec<(usize, isize)>,
}

/// Positions of the part that the same taps meet.
#[derive(Debug, Clone)]
pub(super) struct Met {
    conv: ConvShape,
    part: ImagePart,
    height: Side,
    width: Side,
}

impl ConvShape {
    /// All positions of this part of the input, by the taps that meet them.
    pub(super) fn met(&self, part: ImagePart) -> Vec<Met> {
        let heights = sides(part.rows(), self.kernel_h, self.stride_h, self.dilation_h);
        let widths = sides(part.columns(), self.kernel_w, self.stride_w, self.dilation_w);
        let mut met = Vec::new();
        for height in heights {
            for width in &widths {
                met.push(Met { conv: *self, part, height: height.clone(), width: width.clone() });
            }
        }
        met
    }
}

fn sides(part: Range<usize>, taps: usize, stride: usize, dilation: usize) -> Vec<Side> {
    let side = |first: usize| {
        let place = part.start + first;
        let meets = |&p: &usize| (p * dilation) % stride == place % stride;
        // A whole number, for the taps that meet.
        let output = |p: usize| (place as isize - (p * dilation) as isize) / stride as isize;
        let taps = (0..taps).rev().filter(meets).map(|p| (p, output(p))).collect();
        Side { first, count: part.len().saturating_sub(first).div_ceil(stride), taps }
    };
    (0..stride).map(side).collect()
}

impl Met {
    /// The convolution.
    pub(super) fn conv(&self) -> &ConvShape {
        &self.conv
    }

    /// The part of the input.
    pub(super) fn part(&self) -> ImagePart {
        self.part
    }

    /// Whether these are all positions of the part, and some taps meet them.
    pub(super) fn is_all(&self) -> bool {
        [self.height.count, self.width.count] == [self.part.height, self.part.width] && self.terms() > 0
    }

    /// The taps, counted row by row.
    pub(super) fn taps(&self) -> impl Iterator<Item = usize> {
        let Met { conv, height, width, .. } = self;
        height.taps.iter().flat_map(move |(p, _)| width.taps.iter().map(move |(q, _)| p * conv.kernel_w + q))
    }

    /// Products in one sum.
    pub(super) fn terms(&self) -> usize {
        self.height.taps.len() * self.row_terms()
    }

    fn row_terms(&self) -> usize {
        self.width.taps.len() * self.conv.group_out()
    }

    /// Most products that are summed at once.
    pub(super) fn terms_at_once(&self) -> usize {
        self.terms().min(self.row_terms().max(TERMS))
    }

    /// The rows of taps, as many at a time as [`Met::terms_at_once`] allows.
    pub(super) fn rows_at_once(&self) -> impl Iterator<Item = &[(usize, isize)]> {
        self.height.taps.chunks((TERMS / self.row_terms().max(1)).max(1))
    }

    /// Those of so many lines of the part `(n, h)` that hold such positions.
    pub(super) fn lines(&self, first: usize, lines: usize) -> impl Iterator<Item = usize> {
        let Met { conv, part, height, .. } = self;
        (first..first + lines).filter(|line| (line % part.height) % conv.stride_h == height.first)
    }

    /// The first column that holds such positions.
    pub(super) fn first_column(&self) -> usize {
        self.width.first
    }

    /// How many columns do.
    pub(super) fn columns(&self) -> usize {
        self.width.count
    }
}

/// `columns[position, t]` is what term t sees of dy, or 0 where its tap sees no output: for the positions of these lines, and for the
/// terms `[rows, taps of a row, out_c / groups]`, whose number is returned.
pub(super) fn gather(
    met: &Met,
    dy: &[f32],
    rows: &[(usize, isize)],
    lines: impl Iterator<Item = usize>,
    group: usize,
    columns: &mut [f32],
) -> usize {
    let (s, taps, height) = (&met.conv, &met.width.taps, met.part.height);
    // Taps that see neighbouring outputs, whose channels are neighbours too, are copied at once.
    let at_once = s.groups == 1 && taps.windows(2).all(|taps| taps[0].1 + 1 == taps[1].1);
    let taps = if at_once { &taps[..1] } else { &taps[..] };
    let terms = rows.len() * met.row_terms();
    let run = met.row_terms() / taps.len();
    let outputs = run / s.group_out();
    for (line, columns) in lines.zip(columns.chunks_mut(met.columns() * terms)) {
        let (n, down) = (line / height, (line % height / s.stride_h) as isize);
        for (row, (_, from)) in rows.iter().enumerate() {
            let seen = usize::try_from(from + down).ok().filter(|&i| i < s.out_h);
            let dy =
                seen.map_or(&[][..], |i| &dy[(n * s.out_h + i) * s.out_w * s.out_c..][..s.out_w * s.out_c]);
            // From where on a run would reach past the line.
            let past = (dy.len() / s.out_c + 1).saturating_sub(outputs);
            for (across, columns) in (0..).zip(columns.chunks_exact_mut(terms)) {
                let to = &mut columns[row * met.row_terms()..][..met.row_terms()];
                for ((_, from), to) in taps.iter().zip(to.chunks_exact_mut(run)) {
                    match usize::try_from(from + across) {
                        Ok(from) if from < past => {
                            to.copy_from_slice(&dy[from * s.out_c + group * s.group_out()..][..run]);
                        }
                        _ => copy_edge(dy, s, group, from + across, to),
                    }
                }
            }
        }
    }
    terms
}

/// Copies a group's channels of some outputs of a line, from one on; zeros for outputs outside of it.
fn copy_edge(dy: &[f32], s: &ConvShape, group: usize, from: isize, to: &mut [f32]) {
    let (each, some) = (s.group_out(), to.len() / s.group_out());
    let outputs = dy.len() / s.out_c;
    let before = from.min(0).unsigned_abs().min(some);
    let first = from.max(0).unsigned_abs().min(outputs);
    let inside = (some - before).min(outputs - first);
    let end = before + inside;
    to[..before * each].fill(0.0);
    if inside > 0 {
        // Several at once only where there is one group.
        to[before * each..end * each].copy_from_slice(&dy[first * s.out_c + group * each..][..inside * each]);
    }
    to[end * each..].fill(0.0);
}
