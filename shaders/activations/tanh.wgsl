// Below this the next term of the series is under 1e-8 of the sum.
const NEAR = 0.25;

// y = tanh(x): of WGSL's own tanh too little is known.
// With e = exp(-2|x|), which is at most 1, tanh(|x|) is (1 - e) / (1 + e). Near 0, where that cancels, it is the series
// x - x^3/3 + 2x^5/15 - 17x^7/315 + 62x^9/2835.
fn activation(x: Real) -> Real {
    let e = exp(-2.0 * abs(x));
    let far = (1.0 - e) / (1.0 + e);
    let square = x * x;
    let series = square * (-1.0 / 3.0 + square * (2.0 / 15.0 + square * (-17.0 / 315.0 + square * (62.0 / 2835.0))));
    let near = x + x * series;
    return select(select(-far, far, x >= Real()), near, abs(x) < Real(NEAR));
}

// dx = dy * (1 - y^2).
fn activation_gradient(y: Real, dy: Real) -> Real {
    return dy * (1.0 - y * y);
}
