// import shared/linear_index.wgsl
// import shared/batch.wgsl

// gather_images: x[i, p] = scale[images[order[first + i], p]] for i < batch_size, else 0.
// One invocation per word of an image: up to four pixels.
//
// images [samples, STRIDE_WORDS] words of four bytes, the first pixel in the lowest
// order  [_]
// scale  [256]
// x      [BATCH, PIXELS]

@group(0) @binding(0) var<storage, read> images: array<u32>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let word = index % STRIDE_WORDS;
    let i = index / STRIDE_WORDS;
    let filled = i < batch.batch_size;
    var pixels = 0u;
    if filled {
        let sample = order[ORDER_BASE + batch.first + i];
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
