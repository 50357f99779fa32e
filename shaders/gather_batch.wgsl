// gather_batch, images and targets at once:
//   x[i, p] = scale[images[order[first + i], p]] and one_hot[i, c] = 1 where c = labels[order[first + i]], else 0,
// for i < batch_size; rows past it are 0.
// One invocation per word of an image, up to four pixels, then one per element of one_hot.
//
// images  [samples, STRIDE_WORDS] words of four bytes, the first pixel in the lowest
// labels  [samples] bytes, four to a word, the first in the lowest
// order   [_]
// scale   [256]
// x       [BATCH, PIXELS]
// one_hot [BATCH, CLASSES]

@group(0) @binding(0) var<storage, read> images: array<u32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;
@group(0) @binding(4) var<storage, read_write> x: array<f32>;
@group(0) @binding(5) var<storage, read_write> one_hot: array<f32>;

const WORDS = BATCH * STRIDE_WORDS;

fn of_image(index: u32) {
    let word = index % STRIDE_WORDS;
    let i = index / STRIDE_WORDS;
    let filled = i < step.batch_size;
    var pixels = 0u;
    if filled {
        let sample = order[ORDER_BASE + step.first + i];
        pixels = images[IMAGES_BASE + sample * STRIDE_WORDS + word];
    }
    for (var byte = 0u; byte < 4u; byte++) {
        let p = word * 4u + byte;
        if p < PIXELS {
            let value = scale[SCALE_BASE + ((pixels >> (8u * byte)) & 255u)];
            x[X_BASE + i * PIXELS + p] = select(0.0, value, filled);
        }
    }
}

fn of_target(index: u32) {
    let i = index / CLASSES;
    var value = 0.0;
    if i < step.batch_size {
        let sample = order[ORDER_BASE + step.first + i];
        let label = (labels[LABELS_BASE + sample / 4u] >> (8u * (sample % 4u))) & 255u;
        value = select(0.0, 1.0, label == index % CLASSES);
    }
    one_hot[ONE_HOT_BASE + index] = value;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    if index < WORDS {
        of_image(index);
    } else {
        of_target(index - WORDS);
    }
}
