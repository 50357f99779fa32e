// import shared/linear_index.wgsl
// import shared/winners_{scalar,vec4}.wgsl

// maxpool_backward: dx[n, h, w, c] = sum of dy[n, i, j, c] over the windows (i, j) whose winner is the element (h, w);
// a winner past the window's elements stands for none.
// One invocation per input position and Real of channels: it looks at the windows that cover its position,
// so that no two invocations write the same place.
//
// dy     [BATCH, OUT_H, OUT_W, CHANNELS]
// winner [BATCH, OUT_H, OUT_W, CHANNELS], as words of WIDTH winners each
// dx     [BATCH, IN_H, IN_W, CHANNELS]

@group(0) @binding(0) var<storage, read> dy: array<Real>;
@group(0) @binding(1) var<storage, read> winner: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<Real>;

const REALS = CHANNELS / WIDTH;
// Windows that can cover one position, along each axis.
const COVER_H = (POOL_H + STRIDE_H - 1u) / STRIDE_H;
const COVER_W = (POOL_W + STRIDE_W - 1u) / STRIDE_W;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % REALS;
    let w = index / REALS % IN_W;
    let h = index / (REALS * IN_W) % IN_H;
    let n = index / (REALS * IN_W * IN_H);
    var sum = Real();
    for (var back_h = 0u; back_h < COVER_H; back_h++) {
        // Counted back from the last window that begins at or before h; wraps below 0, which is past OUT_H.
        let i = h / STRIDE_H - back_h;
        let p = h - i * STRIDE_H;
        if i >= OUT_H || p >= POOL_H {
            continue;
        }
        for (var back_w = 0u; back_w < COVER_W; back_w++) {
            let j = w / STRIDE_W - back_w;
            let q = w - j * STRIDE_W;
            if j >= OUT_W || q >= POOL_W {
                continue;
            }
            let window = ((n * OUT_H + i) * OUT_W + j) * REALS + c;
            let won = winners_in(winner[WINNER_BASE + window]) == Index(p * POOL_W + q);
            sum += select(Real(), dy[DY_BASE + window], won);
        }
    }
    dx[DX_BASE + index] = sum;
}
