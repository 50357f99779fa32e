// exp(x) - 1 for x <= 0. Near 0, where the difference cancels, it is the series x + x^2/2! + ... + x^8/8!, whose next term is
// below 2^-26 of the sum.
fn exp_minus_one(x: Real) -> Real {
    let after = 1.0 / 720.0 + x * (1.0 / 5040.0 + x * (1.0 / 40320.0));
    let series = 0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0 + x * after)));
    return select(exp(x) - 1.0, x + x * x * series, x > Real(-0.5));
}
