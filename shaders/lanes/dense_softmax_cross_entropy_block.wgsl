// import shared/batch.wgsl
// import shared/first_maximum.wgsl
// import lanes/eight_{vec4,int64}.wgsl
// import lanes/given.wgsl

// dense_softmax_cross_entropy, by one subgroup: a lane takes a row of LANES at a time, forward, through the loss and back, and
// gets the weights from the others, each of which loads some. The sums of gradient run over the rows: for these the lanes hold
// HELD eights of a row of x each, and hand the gradients of its logits to one another. No lane ever reads what another one
// wrote to workgroup memory. K is a multiple of 8 and at most 64, N at most 16.
//
// x, dx         [M, K]
// kernel        [K, N]
// bias          [N]
// one_hot       [M, N]
// gradient      [K + 1, N]
// loss, correct [_], of which only element `slot` is written

@group(0) @binding(0) var<storage, read> x: array<Eights>;
@group(0) @binding(1) var<storage, read> kernel: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> one_hot: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<Eights>;
@group(0) @binding(6) var<storage, read_write> loss: array<f32>;
@group(0) @binding(7) var<storage, read_write> correct: array<u32>;

const K_EIGHTS = K / EIGHTS;
// Eights of inputs to a lane, and lanes that have any.
const HELD = (K_EIGHTS + LANES - 1u) / LANES;
const HOLDERS = min(LANES, 8u);
// Loads that bring a lane each of the eight weights of as many inputs.
const LOADS = (EIGHTS + LANES - 1u) / LANES;

// Logits of a lane's row, then their gradients.
var<workgroup> d: array<array<f32, N>, LANES>;
// Sums of a lane's rows of gradient.
var<workgroup> sums: array<array<f32, HELD * EIGHTS * N>, HOLDERS>;
var<workgroup> bias_sums: array<array<f32, N>, LANES>;

// K_EIGHTS and N, known only when the shader runs: a loop up to one of them stays a loop, which compiles fast.
fn inputs() -> u32 {
    return select(K_EIGHTS, 0u, batch.batch_size == 0u);
}

fn columns() -> u32 {
    return select(N, 0u, batch.batch_size == 0u);
}

fn is_holder(lane: u32) -> bool {
    return HOLDERS == LANES || lane < HOLDERS;
}

// The eight of inputs that a lane holds at h; the last one where there are no more.
fn held_eight(h: u32, lane: u32) -> u32 {
    return min(h * LANES + lane, K_EIGHTS - 1u);
}

fn forward(row: u32, lane: u32) {
    var mine: array<Eight, K_EIGHTS>;
    for (var i = 0u; i < K_EIGHTS; i++) {
        mine[i] = unpacked(x[X_BASE + row * K_EIGHTS + i]);
    }
    for (var c = 0u; c < columns(); c++) {
        var weights: array<array<f32, EIGHTS>, HELD>;
        for (var h = 0u; h < HELD; h++) {
            for (var e = 0u; e < EIGHTS; e++) {
                weights[h][e] = kernel[KERNEL_BASE + (held_eight(h, lane) * EIGHTS + e) * N + c];
            }
        }
        var logit = bias[BIAS_BASE + c];
        for (var i = 0u; i < K_EIGHTS; i++) {
            for (var e = 0u; e < 4u; e++) {
                logit += mine[i].low[e] * given(weights[i / LANES][e], 0u, i % LANES, LANES);
            }
            for (var e = 0u; e < 4u; e++) {
                logit += mine[i].high[e] * given(weights[i / LANES][4u + e], 0u, i % LANES, LANES);
            }
        }
        d[lane][c] = logit;
    }
}

// Loss and hit of a lane's row; leaves the gradients of its logits in d.
fn row_loss(row: u32, filled: bool, lane: u32) -> Best {
    var predicted = Best(d[lane][0], 0u);
    var wanted = Best(one_hot[ONE_HOT_BASE + row * N], 0u);
    for (var c = 1u; c < columns(); c++) {
        predicted = better(predicted, d[lane][c], c);
        wanted = better(wanted, one_hot[ONE_HOT_BASE + row * N + c], c);
    }
    var s = 0.0;
    for (var c = 0u; c < columns(); c++) {
        s += exp(d[lane][c] - predicted.value);
    }
    let ln_s = log(s);
    var total = 0.0;
    for (var c = 0u; c < columns(); c++) {
        let z = d[lane][c] - predicted.value;
        let t = one_hot[ONE_HOT_BASE + row * N + c];
        total += t * (ln_s - z);
        d[lane][c] = select(0.0, (exp(z) / s - t) / f32(batch.divisor), filled);
    }
    return Best(select(0.0, total, filled), select(0u, 1u, filled && predicted.place == wanted.place));
}

// Adds the products of a row of x for each lane and the gradients of their logits.
fn add_gradient(first: u32, lane: u32) {
    var across: array<array<Eight, LANES>, HELD>;
    for (var h = 0u; h < HELD; h++) {
        for (var i = 0u; i < LANES; i++) {
            let row = min(first + i, M - 1u);
            across[h][i] = unpacked(x[X_BASE + row * K_EIGHTS + held_eight(h, lane)]);
        }
    }
    for (var c = 0u; c < columns(); c++) {
        let mine = d[lane][c];
        var of_rows: array<f32, LANES>;
        var bias_sum = bias_sums[lane][c];
        for (var i = 0u; i < LANES; i++) {
            of_rows[i] = given(mine, 0u, i, LANES);
            bias_sum += of_rows[i];
        }
        bias_sums[lane][c] = bias_sum;
        if is_holder(lane) {
            for (var h = 0u; h < HELD; h++) {
                let begin = h * EIGHTS;
                var low: vec4f;
                var high: vec4f;
                for (var e = 0u; e < 4u; e++) {
                    low[e] = sums[lane][(begin + e) * N + c];
                    high[e] = sums[lane][(begin + 4u + e) * N + c];
                }
                for (var i = 0u; i < LANES; i++) {
                    low += of_rows[i] * across[h][i].low;
                    high += of_rows[i] * across[h][i].high;
                }
                for (var e = 0u; e < 4u; e++) {
                    sums[lane][(begin + e) * N + c] = low[e];
                    sums[lane][(begin + 4u + e) * N + c] = high[e];
                }
            }
        }
    }
}

fn backward(r: u32, row: u32, lane: u32) {
    for (var i = 0u; i < inputs(); i++) {
        let input = unpacked(x[X_BASE + row * K_EIGHTS + i]);
        var low = vec4f();
        var high = vec4f();
        for (var c = 0u; c < columns(); c++) {
            var weights: array<f32, LOADS>;
            for (var u = 0u; u < LOADS; u++) {
                let input = u * LANES + select(lane % EIGHTS, lane, LANES <= EIGHTS);
                weights[u] = kernel[KERNEL_BASE + (i * EIGHTS + input) * N + c];
            }
            let mine = d[lane][c];
            for (var e = 0u; e < 4u; e++) {
                low[e] += mine * given(weights[e / LANES], 0u, e % LANES, LANES);
                high[e] += mine * given(weights[(4u + e) / LANES], 0u, (4u + e) % LANES, LANES);
            }
        }
        if RELU {
            low = select(vec4f(), low, input.low > vec4f());
            high = select(vec4f(), high, input.high > vec4f());
        }
        if r < M {
            dx[DX_BASE + r * K_EIGHTS + i] = packed(Eight(low, high));
        }
    }
}

fn store_gradient(lane: u32) {
    for (var h = 0u; h < HELD; h++) {
        let eight = h * LANES + lane;
        if eight < K_EIGHTS {
            for (var at = 0u; at < EIGHTS * N; at++) {
                gradient[GRADIENT_BASE + eight * EIGHTS * N + at] = sums[lane][h * EIGHTS * N + at];
            }
        }
    }
    if lane == 0u {
        for (var c = 0u; c < columns(); c++) {
            gradient[GRADIENT_BASE + K * N + c] = bias_sums[lane][c];
        }
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(subgroup_invocation_id) lane: u32) {
    for (var c = 0u; c < columns(); c++) {
        if is_holder(lane) {
            for (var e = 0u; e < HELD * EIGHTS; e++) {
                sums[lane][e * N + c] = 0.0;
            }
        }
        bias_sums[lane][c] = 0.0;
    }
    var total = 0.0;
    var count = 0u;
    for (var first = 0u; first < M; first += LANES) {
        let r = first + lane;
        let row = min(r, M - 1u);
        forward(row, lane);
        let judged = row_loss(row, r < batch.batch_size, lane);
        total += judged.value;
        count += judged.place;
        add_gradient(first, lane);
        backward(r, row, lane);
    }
    store_gradient(lane);
    var all = 0.0;
    var hits = 0u;
    for (var i = 0u; i < LANES; i++) {
        all += subgroupShuffle(total, i);
        hits += subgroupShuffle(count, i);
    }
    if lane == 0u {
        loss[LOSS_BASE + batch.slot] = all / f32(batch.divisor);
        correct[CORRECT_BASE + batch.slot] = hits;
    }
}
