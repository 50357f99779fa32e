//! In which order PyTorch has the features of a sample: an image that was flattened there begins with all of its first channel,
//! `[c, h, w]`, and here with all channels of its first place, `[h, w, c]`.

use crate::model::{Network, NetworkLayer, Shape};

/// The order in which PyTorch has the features that a layer gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Order {
    /// As ours.
    Own,
    /// They were an image of this height, width and channels.
    Image([usize; 3]),
    /// Several in a row, each of so many features.
    Row(Vec<(usize, Order)>),
}

impl Order {
    /// Where PyTorch has our feature `at`.
    pub(super) fn place(&self, at: usize) -> usize {
        match self {
            Order::Own => at,
            Order::Image([h, w, c]) => at % c * (h * w) + at / c,
            Order::Row(parts) => {
                let mut start = 0;
                for (len, order) in parts {
                    if at < start + len {
                        return start + order.place(at - start);
                    }
                    start += len;
                }
                at
            }
        }
    }

    /// Rows of `width` values each, one for each feature, in our order.
    pub(super) fn sorted(&self, theirs: Vec<f32>, width: usize) -> Vec<f32> {
        if *self == Order::Own || width == 0 {
            return theirs;
        }
        let row = |at: usize| &theirs[self.place(at) * width..][..width];
        (0..theirs.len() / width).flat_map(row).copied().collect()
    }
}

/// The order of the features that each layer gives; of an image it is [`Order::Own`].
pub(super) fn orders(network: &Network) -> Vec<Order> {
    let mut orders: Vec<Order> = Vec::new();
    for layer in &network.layers {
        let of = |source: &Option<usize>| source.map_or(Order::Own, |at| orders[at].clone());
        let sources: Vec<Order> = layer.sources.iter().map(of).collect();
        orders.push(order(layer, sources));
    }
    orders
}

fn order(layer: &NetworkLayer, sources: Vec<Order>) -> Order {
    if let (Shape::Flat(len), [Shape::Image([h, w, c])]) = (layer.output, layer.inputs.as_slice()) {
        let is_moved = *c > 1 && h * w > 1 && h * w * c == len;
        return if is_moved { Order::Image([*h, *w, *c]) } else { Order::Own };
    }
    let Shape::Flat(len) = layer.output else { return Order::Own };
    if mixes(layer) || sources.iter().all(|order| *order == Order::Own) {
        return Order::Own;
    }
    let lens: Vec<usize> = layer.inputs.iter().map(Shape::len).collect();
    if sources.len() > 1 && lens.iter().sum::<usize>() == len {
        return Order::Row(lens.into_iter().zip(sources).collect());
    }
    // Feature by feature.
    sources.into_iter().find(|order| *order != Order::Own).unwrap_or(Order::Own)
}

/// Whether each feature that a layer gives comes of all that it takes.
fn mixes(layer: &NetworkLayer) -> bool {
    layer.weights.iter().any(|weight| weight.shape.len() > 1)
}

/// The layers with weights for features that PyTorch has in an order that nothing here tells: those whose features become an image of
/// several channels that was none before, and those that take what was reshaped to other channels, or put together of features in
/// different orders.
pub(super) fn drawn(network: &Network, orders: &[Order]) -> Vec<usize> {
    let mut drawn = become_images(network, orders);
    let mut lost: Vec<bool> = Vec::new();
    for layer in &network.layers {
        let is_lost = loses_order(layer, orders) || layer.sources.iter().flatten().any(|&at| lost[at]);
        if is_lost && !layer.weights.is_empty() {
            drawn.push(layer.index);
        }
        lost.push(is_lost && !mixes(layer));
    }
    drawn
}

/// Whether a layer gives features, or channels, in an order that is neither ours nor told by [`orders`].
fn loses_order(layer: &NetworkLayer, orders: &[Order]) -> bool {
    let of = |source: &Option<usize>| source.map_or(&Order::Own, |at| &orders[at]);
    match (layer.output, layer.inputs.as_slice()) {
        // There a view takes numbers as they lie, with all of a channel together.
        (Shape::Image([.., to]), [Shape::Image([.., from])]) => to != *from && moves_nothing(layer),
        (Shape::Image([h, w, c]), [Shape::Flat(len)]) if h * w * c == *len => {
            let order = layer.sources.first().map_or(&Order::Own, of);
            let is_input = layer.sources.iter().all(Option::is_none);
            match order {
                Order::Own => is_input && c > 1 && h * w > 1,
                order => *order != Order::Image([h, w, c]),
            }
        }
        (Shape::Flat(len), inputs)
            if inputs.len() > 1 && inputs.iter().map(Shape::len).sum::<usize>() != len =>
        {
            layer.sources.windows(2).any(|two| of(&two[0]) != of(&two[1]))
        }
        _ => false,
    }
}

/// Whether a layer gives its values as they come, under another shape.
fn moves_nothing(layer: &NetworkLayer) -> bool {
    layer.layer.class() == "Reshape"
}

/// The layers whose features become an image of several channels that was none before.
fn become_images(network: &Network, orders: &[Order]) -> Vec<usize> {
    let mut drawn = Vec::new();
    for layer in &network.layers {
        let (Shape::Image([h, w, c]), [Shape::Flat(len)]) = (layer.output, layer.inputs.as_slice()) else {
            continue;
        };
        let mut todo: Vec<usize> = layer.sources.iter().flatten().copied().collect();
        if c == 1
            || h * w == 1
            || h * w * c != *len
            || todo.iter().all(|&at| orders[at] == Order::Image([h, w, c]))
        {
            continue;
        }
        while let Some(at) = todo.pop() {
            let before = &network.layers[at];
            if matches!(before.output, Shape::Flat(_)) && !drawn.contains(&at) {
                drawn.push(at);
                todo.extend(before.sources.iter().flatten().filter(|_| !mixes(before)));
            }
        }
    }
    drawn
}
