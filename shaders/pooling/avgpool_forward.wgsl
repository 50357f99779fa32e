// import shared/linear_index.wgsl

// avgpool_forward: y[n, i, j, c] = sum_{p, q} x[n, i*sh + p - TOP, j*sw + q - LEFT, c] / count, over the elements of the window
// that are inside of the image, of which there are `count`.
// One invocation per output position and Real of channels.
//
// x [BATCH, IN_H, IN_W, CHANNELS]
// y [BATCH, OUT_H, OUT_W, CHANNELS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read_write> y: array<Real>;

const REALS = CHANNELS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % REALS;
    let j = index / REALS % OUT_W;
    let i = index / (REALS * OUT_W) % OUT_H;
    let n = index / (REALS * OUT_W * OUT_H);
    var sum = Real();
    var count = 0u;
    for (var p = 0u; p < POOL_H; p++) {
        // Before the image this wraps below 0, which is past its end.
        let h = i * STRIDE_H + p - TOP;
        if h >= IN_H {
            continue;
        }
        for (var q = 0u; q < POOL_W; q++) {
            let w = j * STRIDE_W + q - LEFT;
            if w >= IN_W {
                continue;
            }
            sum += x[X_BASE + ((n * IN_H + h) * IN_W + w) * REALS + c];
            count++;
        }
    }
    y[Y_BASE + index] = sum / f32(count);
}
