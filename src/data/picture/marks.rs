//! Which marks are the drawing, and which are specks, edges and other drawings.

use super::doubt::Doubt;
use super::lines::Mask;
use crate::data::resample::Plane;

/// Marks nearer to each other than this share of the smaller side are joined: pencil and chalk leave gaps.
const GAP: f32 = 1.0 / 150.0;
/// This many pixels around what is kept belong to it: soft edges.
const EDGE: usize = 2;
/// A mark is not the drawing if at least the first share of it lies within the second share of a side from an edge.
const ALONG: f32 = 0.9;
const RIM: f32 = 0.06;
/// A frame that does not lie along the edges has at least the first share of the picture's smaller side, and is at
/// most the second share of its own sides thick, slant included.
const LEAST_FRAME: f32 = 0.3;
const FRAME_RIM: f32 = 0.1;
/// The drawing is the mark with the most ink that touches no edge, if it has this share of the most ink of any.
const FREE: f32 = 0.1;
/// A speck has less than this share of the drawing's ink, or is smaller than this share of its size.
const SPECK_INK: f32 = 0.04;
const SPECK_SIZE: f32 = 0.15;
/// Specks that together have more than this share of the drawing's ink are its texture.
const TEXTURE: f32 = 0.3;
/// A mark further away than this share of the drawing's size is another drawing.
const NEAR: f32 = 0.4;
/// A mark with this share of the drawing's ink is mentioned in a doubt.
const SECOND: f32 = 0.25;

/// The part of a mask that is the drawing.
pub(super) struct Marks {
    /// With soft edges.
    pub kept: Mask,
    /// `[top, left]` and `[bottom, right]`: the first and last inked pixels.
    pub first: [usize; 2],
    pub last: [usize; 2],
    pub doubts: Vec<Doubt>,
}

/// Connected pixels.
#[derive(Debug, Clone)]
struct Mark {
    first: [usize; 2],
    last: [usize; 2],
    ink: f32,
    area: usize,
    /// The part of the area that is near an edge of the picture.
    rim: usize,
    at_edge: bool,
    /// It surrounds the rest.
    frame: bool,
}

impl Mark {
    fn size(&self) -> usize {
        (0..2).map(|axis| self.last[axis] + 1 - self.first[axis]).max().unwrap_or(0)
    }

    /// Pixels between the boxes around two marks, on the axis where there are more.
    fn gap(&self, other: &Mark) -> usize {
        let between = |axis: usize| {
            let after = self.first[axis].saturating_sub(other.last[axis]);
            after.max(other.first[axis].saturating_sub(self.last[axis]))
        };
        between(0).max(between(1))
    }

    /// Whether it stands beside the other, as letters of a word do.
    fn beside(&self, other: &Mark) -> bool {
        self.first[1] > other.last[1] || other.first[1] > self.last[1]
    }

    fn is_edge(&self) -> bool {
        self.frame || (self.at_edge && self.rim as f32 >= ALONG * self.area as f32)
    }

    fn join(&mut self, other: &Mark) {
        for axis in 0..2 {
            self.first[axis] = self.first[axis].min(other.first[axis]);
            self.last[axis] = self.last[axis].max(other.last[axis]);
        }
    }
}

impl Marks {
    /// The drawing among the marks under a mask; `None` where there are only edges.
    pub fn of(mask: &Mask, ink: &Plane) -> Option<Marks> {
        let side = mask.height.min(mask.width);
        let bridge = ((side as f32 * GAP) as usize).max(1);
        let (labels, mut marks) = labelled(mask, &mask.widened(bridge), ink);
        find_frames(mask, &labels, &mut marks);
        let drawing = drawing(&marks)?;
        let main = &marks[drawing];
        let is_speck = |mark: &Mark| {
            mark.ink < SPECK_INK * main.ink || (mark.size() as f32) < SPECK_SIZE * main.size() as f32
        };
        let is_near = |mark: &Mark| mark.gap(main) as f32 <= NEAR * main.size() as f32;
        let specks = marks.iter().filter(|mark| is_speck(mark) && mark.gap(main) == 0);
        let texture = specks.map(|mark| mark.ink).sum::<f32>() > TEXTURE * main.ink;
        let mut kept = vec![false; marks.len()];
        let mut doubts = Vec::new();
        let mut whole = main.clone();
        for (at, mark) in marks.iter().enumerate() {
            let is_main = at == drawing;
            let touches_alone = mark.at_edge && !main.at_edge;
            kept[at] = is_main
                || (is_near(mark) && !touches_alone && !mark.is_edge() && !is_speck(mark))
                || (texture && mark.gap(main) == 0 && is_speck(mark));
            let large = !is_main && !mark.is_edge() && !touches_alone && mark.ink > SECOND * main.ink;
            if large && (!kept[at] || mark.beside(main)) && !doubts.contains(&Doubt::SeveralDrawings) {
                doubts.push(Doubt::SeveralDrawings);
            }
            if kept[at] {
                whole.join(mark);
            }
        }
        if main.at_edge {
            doubts.push(Doubt::CutOff);
        }
        let belongs = |label: &u32| *label > 0 && kept[*label as usize - 1];
        let inked = labels.iter().map(belongs).collect();
        let kept = Mask { height: mask.height, width: mask.width, inked }.widened(EDGE);
        Some(Marks { kept, first: whole.first, last: whole.last, doubts })
    }
}

/// The mark that is the drawing, or its largest part.
fn drawing(marks: &[Mark]) -> Option<usize> {
    let heaviest = |free: bool| {
        let some = (0..marks.len()).filter(|at| !(marks[*at].is_edge() || free && marks[*at].at_edge));
        some.max_by(|a, b| marks[*a].ink.total_cmp(&marks[*b].ink))
    };
    let any = heaviest(false)?;
    Some(heaviest(true).filter(|free| marks[*free].ink >= FREE * marks[any].ink).unwrap_or(any))
}

/// A frame lies along its box, all four corners included, and surrounds something else.
fn find_frames(mask: &Mask, labels: &[u32], marks: &mut [Mark]) {
    let side = mask.height.min(mask.width) as f32;
    let holds = |outer: &Mark, inner: &Mark| {
        let within =
            |axis: usize| outer.first[axis] < inner.first[axis] && inner.last[axis] < outer.last[axis];
        within(0) && within(1) && inner.size() as f32 >= SPECK_SIZE * outer.size() as f32
    };
    for at in 0..marks.len() {
        let mark = &marks[at];
        let sides = [0, 1].map(|axis| mark.last[axis] + 1 - mark.first[axis]);
        if (sides[0].min(sides[1]) as f32) < LEAST_FRAME * side
            || !marks.iter().any(|inner| holds(mark, inner))
        {
            continue;
        }
        let rim = sides.map(|side| (side as f32 * FRAME_RIM) as usize + 1);
        let (mut along, mut corners) = (0, [false; 4]);
        for y in 0..sides[0] {
            for x in 0..sides[1] {
                let place = (mark.first[0] + y) * mask.width + mark.first[1] + x;
                if labels[place] as usize != at + 1 || !mask.inked[place] {
                    continue;
                }
                let (below, right) = (sides[0] - 1 - y < rim[0], sides[1] - 1 - x < rim[1]);
                let (down, across) = (below || y < rim[0], right || x < rim[1]);
                along += usize::from(down || across);
                corners[2 * usize::from(below) + usize::from(right)] |= down && across;
            }
        }
        marks[at].frame = along as f32 >= ALONG * marks[at].area as f32 && corners == [true; 4];
    }
}

/// For each pixel of a widened mask the number of its mark, from 1, and the marks; their sizes are those in the mask
/// itself.
fn labelled(mask: &Mask, wide: &Mask, ink: &Plane) -> (Vec<u32>, Vec<Mark>) {
    let (height, width) = (mask.height, mask.width);
    let mut labels = vec![0u32; height * width];
    let mut marks: Vec<Mark> = Vec::new();
    let mut open = Vec::new();
    let (rim_y, rim_x) = ((height as f32 * RIM) as usize + 1, (width as f32 * RIM) as usize + 1);
    for start in 0..labels.len() {
        if !wide.inked[start] || labels[start] > 0 {
            continue;
        }
        let label = marks.len() as u32 + 1;
        let mut mark = Mark {
            first: [height, width],
            last: [0, 0],
            ink: 0.0,
            area: 0,
            rim: 0,
            at_edge: false,
            frame: false,
        };
        labels[start] = label;
        open.push(start);
        while let Some(at) = open.pop() {
            let (y, x) = (at / width, at % width);
            if mask.inked[at] {
                mark.join(&Mark { first: [y, x], last: [y, x], ..mark.clone() });
                mark.ink += ink.values[at];
                mark.area += 1;
                mark.rim += usize::from(y < rim_y || x < rim_x || y + rim_y >= height || x + rim_x >= width);
                mark.at_edge |= y == 0 || x == 0 || y + 1 == height || x + 1 == width;
            }
            for y in y.saturating_sub(1)..(y + 2).min(height) {
                for x in x.saturating_sub(1)..(x + 2).min(width) {
                    let at = y * width + x;
                    if wide.inked[at] && labels[at] == 0 {
                        labels[at] = label;
                        open.push(at);
                    }
                }
            }
        }
        marks.push(mark);
    }
    (labels, marks)
}

impl Mask {
    /// Every inked pixel with the square of this reach around it.
    pub fn widened(&self, reach: usize) -> Mask {
        let (height, width) = (self.height, self.width);
        let spread = |length: usize, inked: &dyn Fn(usize) -> bool, mark: &mut dyn FnMut(usize)| {
            // The last inked place before each, and the next one after it.
            let mut until = 0;
            for at in 0..length {
                if inked(at) {
                    let from = at.saturating_sub(reach).max(until);
                    until = (at + reach + 1).min(length);
                    (from..until).for_each(&mut *mark);
                }
            }
        };
        let mut rows = vec![false; height * width];
        for y in 0..height {
            spread(width, &|x| self.inked[y * width + x], &mut |x| rows[y * width + x] = true);
        }
        let mut inked = vec![false; height * width];
        for x in 0..width {
            spread(height, &|y| rows[y * width + x], &mut |y| inked[y * width + x] = true);
        }
        Mask { height, width, inked }
    }
}
