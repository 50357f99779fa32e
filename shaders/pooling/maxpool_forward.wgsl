// import shared/linear_index.wgsl
// import shared/winners_{scalar,vec4}.wgsl

// maxpool_forward: y[n, i, j, c] = max_{p, q} x[n, i*sh + p, j*sw + q, c];
// winner is p*POOL_W + q of the first maximum in row-major order.
// One invocation per output position and Real of channels.
//
// x      [BATCH, IN_H, IN_W, CHANNELS]
// y      [BATCH, OUT_H, OUT_W, CHANNELS]
// winner [BATCH, OUT_H, OUT_W, CHANNELS], as words of WIDTH winners each

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read_write> y: array<Real>;
@group(0) @binding(2) var<storage, read_write> winner: array<u32>;

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
    let corner = (n * IN_H + i * STRIDE_H) * IN_W + j * STRIDE_W;
    var best = x[X_BASE + corner * REALS + c];
    var first = Index();
    for (var p = 0u; p < POOL_H; p++) {
        for (var q = 0u; q < POOL_W; q++) {
            let value = x[X_BASE + (corner + p * IN_W + q) * REALS + c];
            let greater = value > best;
            best = select(best, value, greater);
            first = select(first, Index(p * POOL_W + q), greater);
        }
    }
    y[Y_BASE + index] = best;
    winner[WINNER_BASE + index] = winners_kept(first);
}
