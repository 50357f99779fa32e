// import shared/linear_index.wgsl

// avgpool_backward: dx[n, h, w, c] = sum of dy[n, i, j, c] / count over the windows (i, j) that hold the element (h, w), where
// `count` elements of the window are inside of the image.
// One invocation per input position and Real of channels: it looks at the windows that cover its position, so that no two
// invocations write the same place.
//
// dy [BATCH, OUT_H, OUT_W, CHANNELS]
// dx [BATCH, IN_H, IN_W, CHANNELS]

@group(0) @binding(0) var<storage, read> dy: array<Real>;
@group(0) @binding(1) var<storage, read_write> dx: array<Real>;

const REALS = CHANNELS / WIDTH;
// Windows that can cover one position, along each axis.
const COVER_H = (POOL_H + STRIDE_H - 1u) / STRIDE_H;
const COVER_W = (POOL_W + STRIDE_W - 1u) / STRIDE_W;

// Elements of a window from `begin` that are inside of an image of `len`, which begins at `border`.
fn inside(begin: u32, window: u32, border: u32, len: u32) -> u32 {
    return min(begin + window, border + len) - max(begin, border);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % REALS;
    let w = index / REALS % IN_W + LEFT;
    let h = index / (REALS * IN_W) % IN_H + TOP;
    let n = index / (REALS * IN_W * IN_H);
    // From the first window to the last, the order of the twin.
    var sum = Real();
    for (var back_h = COVER_H; back_h > 0u; back_h--) {
        // Counted back from the last window that begins at or before h; wraps below 0, which is past OUT_H.
        let i = h / STRIDE_H - (back_h - 1u);
        if i >= OUT_H || h - i * STRIDE_H >= POOL_H {
            continue;
        }
        for (var back_w = COVER_W; back_w > 0u; back_w--) {
            let j = w / STRIDE_W - (back_w - 1u);
            if j >= OUT_W || w - j * STRIDE_W >= POOL_W {
                continue;
            }
            let rows = inside(i * STRIDE_H, POOL_H, TOP, IN_H);
            let columns = inside(j * STRIDE_W, POOL_W, LEFT, IN_W);
            sum += dy[DY_BASE + ((n * OUT_H + i) * OUT_W + j) * REALS + c] / f32(rows * columns);
        }
    }
    dx[DX_BASE + index] = sum;
}
