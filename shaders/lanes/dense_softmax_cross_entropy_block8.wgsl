// import shared/batch.wgsl
// import shared/first_maximum.wgsl
// import lanes/eight.wgsl

// dense_softmax_cross_entropy, by one subgroup: a lane takes a row of 8 at a time, forward, through the loss and back, and
// gets the weights from the others, each of which loads 8. The sums of gradient run over the rows: for these the lanes hold
// 8 elements of a row of x each, and hand the gradients of its logits to one another. No lane ever reads what another one
// wrote to workgroup memory. K is a multiple of 8 and at most 64, N a multiple of 2 and at most 32.
//
// x, dx         [M, K]
// kernel        [K, N]
// bias          [N]
// one_hot       [M, N]
// gradient      [K + 1, N]
// loss, correct [_], of which only element `slot` is written

@group(0) @binding(0) var<storage, read> x: array<vec4<u64>>;
@group(0) @binding(1) var<storage, read> kernel: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> one_hot: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4<u64>>;
@group(0) @binding(6) var<storage, read_write> loss: array<f32>;
@group(0) @binding(7) var<storage, read_write> correct: array<u32>;

const K_EIGHTS = K / EIGHTS;

// Logits of a lane's row, then their gradients.
var<workgroup> d: array<array<f32, N>, LANES>;
// Sums of a lane's 8 rows of gradient.
var<workgroup> sums: array<array<f32, EIGHTS * N>, LANES>;
var<workgroup> bias_sums: array<array<f32, N>, LANES>;

// K_EIGHTS and N, known only when the shader runs: a loop up to one of them stays a loop, which compiles fast.
fn inputs() -> u32 {
    return select(K_EIGHTS, 0u, batch.batch_size == 0u);
}

fn columns() -> u32 {
    return select(N, 0u, batch.batch_size == 0u);
}

fn forward(row: u32, lane: u32) {
    var mine: array<Eight, K_EIGHTS>;
    for (var i = 0u; i < K_EIGHTS; i++) {
        mine[i] = unpacked(x[X_BASE + row * K_EIGHTS + i]);
    }
    for (var c = 0u; c < columns(); c++) {
        // Of inputs 8 * lane and following.
        var weights: array<f32, EIGHTS>;
        for (var e = 0u; e < EIGHTS; e++) {
            weights[e] = kernel[KERNEL_BASE + (min(lane, K_EIGHTS - 1u) * EIGHTS + e) * N + c];
        }
        var logit = bias[BIAS_BASE + c];
        for (var i = 0u; i < K_EIGHTS; i++) {
            for (var e = 0u; e < 4u; e++) {
                logit += mine[i].low[e] * subgroupShuffle(weights[e], i);
            }
            for (var e = 0u; e < 4u; e++) {
                logit += mine[i].high[e] * subgroupShuffle(weights[4u + e], i);
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
        d[lane][c] = select(0.0, (exp(z) / s - t) / f32(batch.batch_size), filled);
    }
    return Best(select(0.0, total, filled), select(0u, 1u, filled && predicted.place == wanted.place));
}

// Adds the products of 8 rows of x and the gradients of their logits.
fn add_gradient(first: u32, lane: u32) {
    var across: array<Eight, LANES>;
    for (var i = 0u; i < LANES; i++) {
        across[i] = unpacked(x[X_BASE + min(first + i, M - 1u) * K_EIGHTS + min(lane, K_EIGHTS - 1u)]);
    }
    for (var c = 0u; c < columns(); c++) {
        let mine = d[lane][c];
        var low: vec4f;
        var high: vec4f;
        for (var e = 0u; e < 4u; e++) {
            low[e] = sums[lane][e * N + c];
            high[e] = sums[lane][(4u + e) * N + c];
        }
        var bias_sum = bias_sums[lane][c];
        for (var i = 0u; i < LANES; i++) {
            let of_row = subgroupShuffle(mine, i);
            low += of_row * across[i].low;
            high += of_row * across[i].high;
            bias_sum += of_row;
        }
        for (var e = 0u; e < 4u; e++) {
            sums[lane][e * N + c] = low[e];
            sums[lane][(4u + e) * N + c] = high[e];
        }
        bias_sums[lane][c] = bias_sum;
    }
}

fn backward(r: u32, row: u32, lane: u32) {
    for (var i = 0u; i < inputs(); i++) {
        let input = unpacked(x[X_BASE + row * K_EIGHTS + i]);
        var low = vec4f();
        var high = vec4f();
        for (var c = 0u; c < columns(); c++) {
            // Of input 8 * i + lane.
            let weight = kernel[KERNEL_BASE + (i * EIGHTS + lane) * N + c];
            let mine = d[lane][c];
            for (var e = 0u; e < 4u; e++) {
                low[e] += mine * subgroupShuffle(weight, e);
                high[e] += mine * subgroupShuffle(weight, 4u + e);
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
    if lane < K_EIGHTS {
        for (var at = 0u; at < EIGHTS * N; at++) {
            gradient[GRADIENT_BASE + lane * EIGHTS * N + at] = sums[lane][at];
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
        for (var e = 0u; e < EIGHTS; e++) {
            sums[lane][e * N + c] = 0.0;
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
        loss[LOSS_BASE + batch.slot] = all / f32(batch.batch_size);
        correct[CORRECT_BASE + batch.slot] = hits;
    }
}
