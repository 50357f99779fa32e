// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/bytes_{scalar,vec4}.wgsl

// gather_batch, images and targets at once:
//   x[i, p] = images[order[first + i], p] / 255 and one_hot[i, c] = ON where c + FIRST_CLASS = labels[order[first + i]],
// else OFF, for i < batch_size; rows past it are 0.
// One invocation per Real of pixels, then one per element of one_hot.
//
// images  [samples, STRIDE_WORDS] words of four bytes, the first pixel in the lowest
// labels  [samples]
// order   [_]
// x       [BATCH, PIXELS]
// one_hot [BATCH, CLASSES]

@group(0) @binding(0) var<storage, read> images: array<u32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> x: array<Real>;
@group(0) @binding(4) var<storage, read_write> one_hot: array<f32>;

const IMAGE_REALS = PIXELS / WIDTH;
const REALS = BATCH * IMAGE_REALS;

// b / 255 as f32 rounds it, for which WGSL's division is not accurate enough. 255 * 65793 = 2^24 - 1, so
//   b / 255 = (65793 b + b / 255) / 2^24.
// The first product is a whole number below 2^24, and exact. The second is so small beside it that its own error never
// decides how the sum is rounded, nor does it matter whether the two are fused.
fn quotients(bytes: Index) -> Real {
    return Real(bytes * 65793u) * 0x1p-24f + Real(bytes) * (0x1p-24f / 255f);
}

fn of_image(index: u32) {
    let p = index % IMAGE_REALS;
    let i = index / IMAGE_REALS;
    var value = Real();
    if i < batch.batch_size {
        let sample = order[ORDER_BASE + batch.first + i];
        let word = images[IMAGES_BASE + sample * STRIDE_WORDS + p * WIDTH / 4u];
        value = quotients(bytes_of(word, p));
    }
    x[X_BASE + index] = value;
}

fn of_target(index: u32) {
    let i = index / CLASSES;
    var value = 0.0;
    if i < batch.batch_size {
        let sample = order[ORDER_BASE + batch.first + i];
        let label = labels[LABELS_BASE + sample];
        value = select(OFF, ON, label == FIRST_CLASS + index % CLASSES);
    }
    one_hot[ONE_HOT_BASE + index] = value;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    if index < REALS {
        of_image(index);
    } else {
        of_target(index - REALS);
    }
}
