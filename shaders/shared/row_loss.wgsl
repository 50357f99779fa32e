// import shared/first_maximum.wgsl

// Loss and hit of a row whose logits are in d; leaves their gradient there.
fn row_loss(r: u32, n: f32) -> Best {
    let row = r * N;
    var predicted = Best(d[row], 0u);
    var wanted = Best(one_hot[ONE_HOT_BASE + row], 0u);
    for (var c = 1u; c < N; c++) {
        predicted = better(predicted, d[row + c], c);
        wanted = better(wanted, one_hot[ONE_HOT_BASE + row + c], c);
    }
    var s = 0.0;
    for (var c = 0u; c < N; c++) {
        s += exp(d[row + c] - predicted.value);
    }
    let ln_s = log(s);
    var total = 0.0;
    for (var c = 0u; c < N; c++) {
        let z = d[row + c] - predicted.value;
        let t = one_hot[ONE_HOT_BASE + row + c];
        total += t * (ln_s - z);
        d[row + c] = (exp(z) / s - t) / n;
    }
    return Best(total, select(0u, 1u, predicted.place == wanted.place));
}
