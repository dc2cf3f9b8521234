# Reference values for the models of single cases: base R (lm, glm), nlme (gls, lme), sandwich, lme4 with lmerTest,
# metafor with clubSandwich. The data are drawn here and written beside the values.
# Run from the root: Rscript tests/reference/single_case_models.R. It writes single_case_models.json beside itself.
suppressPackageStartupMessages({
  library(nlme)
  library(sandwich)
  library(lme4)
  library(lmerTest)
  library(metafor)
  library(clubSandwich)
  library(jsonlite)
})
set.seed(20240917)

table_of <- function(estimate, error, ...) list(estimate = unname(estimate), std_error = unname(error), ...)

# --- one case --------------------------------------------------------------------------------------------------------

# trend from 0 at the first session; level and slope of each phase against the one before, the slope's clock from 0 at
# the phase's first session
columns <- function(phase, time) {
  run <- cumsum(c(TRUE, phase[-1] != phase[-length(phase)]))
  start <- tapply(time, run, min)
  x <- data.frame(trend = time - start[1])
  for (p in 2:max(run)) {
    x[[paste0("level", p)]] <- as.numeric(run >= p)
    x[[paste0("slope", p)]] <- (run >= p) * (time - start[p])
  }
  x
}

series <- function(sizes, labels, gaps, phi = 0.4) {
  phase <- rep(labels, sizes)
  n <- length(phase)
  time <- if (gaps) sort(sample(0:(2 * n), n)) else 0:(n - 1)
  e <- as.numeric(arima.sim(list(ar = phi), 2 * n + 1))[time + 1]
  run <- cumsum(c(TRUE, phase[-1] != phase[-n]))
  list(phase = phase, time = time, y = round(20 + 0.1 * time + 3 * (run %% 2 == 0) + 2 * e, 2),
       count = rpois(n, exp(1.8 + 0.5 * (run %% 2 == 0))), done = rbinom(n, 20, plogis(-0.4 + (run %% 2 == 0))))
}

one_case <- function(sizes, labels, gaps) {
  d <- series(sizes, labels, gaps)
  x <- columns(d$phase, d$time)
  frame <- cbind(y = d$y, count = d$count, done = d$done, time = d$time, x)
  f <- reformulate(names(x), "y")
  ols <- lm(f, frame)
  lag <- floor(4 * (nrow(frame) / 100)^(2 / 9))
  ar <- gls(f, frame, correlation = corAR1(form = ~time), method = "REML", control = glsControl(tolerance = 1e-12, msTol = 1e-14))
  pois <- glm(reformulate(names(x), "count"), poisson, frame, control = glm.control(epsilon = 1e-14))
  quasi <- glm(reformulate(names(x), "count"), quasipoisson, frame, control = glm.control(epsilon = 1e-14))
  bin <- glm(reformulate(names(x), "cbind(done, 20 - done)"), binomial, frame, control = glm.control(epsilon = 1e-14))
  r <- residuals(ols)
  list(
    phase = d$phase, time = d$time, y = d$y, count = d$count, done = d$done,
    ols = table_of(coef(ols), sqrt(diag(vcov(ols))), low = unname(confint(ols)[, 1]), high = unname(confint(ols)[, 2]),
                   r_squared = summary(ols)$r.squared, adjusted = summary(ols)$adj.r.squared, sigma = sigma(ols),
                   aic = AIC(ols), p = unname(summary(ols)$coefficients[, 4]),
                   delta = unname(sapply(names(x), function(v) {
                     summary(ols)$r.squared - summary(update(ols, paste(". ~ . -", v)))$r.squared
                   })),
                   lag1 = sum(r[-1] * r[-length(r)]) / sum(r^2)),
    newey = table_of(coef(ols), sqrt(diag(NeweyWest(ols, lag = lag, prewhite = FALSE, adjust = TRUE)))),
    ar1 = table_of(coef(ar), sqrt(diag(vcov(ar))), phi = unname(coef(ar$modelStruct$corStruct, unconstrained = FALSE)),
                   sigma = ar$sigma, log_likelihood = as.numeric(logLik(ar))),
    poisson = table_of(coef(pois), sqrt(diag(vcov(pois))), deviance = deviance(pois), null = pois$null.deviance, aic = AIC(pois)),
    quasi = table_of(coef(quasi), sqrt(diag(vcov(quasi))), dispersion = summary(quasi)$dispersion,
                     p = unname(summary(quasi)$coefficients[, 4])),
    binomial = table_of(coef(bin), sqrt(diag(vcov(bin))), aic = AIC(bin))
  )
}

single <- list(
  one_case(c(8, 12), c("A", "B"), FALSE),
  one_case(c(5, 15), c("A", "B"), TRUE),
  one_case(c(20, 25), c("A", "B"), TRUE),
  one_case(c(6, 7, 6, 8), c("A", "B", "A", "B"), FALSE),
  one_case(c(9, 8, 10), c("A", "B", "C"), TRUE)
)

# --- several cases ---------------------------------------------------------------------------------------------------

baselines <- function(cases, n, slopes = FALSE) {
  parts <- lapply(seq_len(cases), function(i) {
    start <- sample(4:(n - 5), 1)
    time <- if (i %% 2) 1:n else sort(sample(1:(n + 3), n))
    phase <- ifelse(seq_len(n) <= start, "A", "B")
    e <- as.numeric(arima.sim(list(ar = 0.35), n + 3))[time]
    gain <- 3 + if (slopes) rnorm(1, 0, 1.5) else 0
    data.frame(case = paste0("c", i), phase = phase, time = time, value = round(10 + rnorm(1, 0, 2) + gain * (phase == "B") + 1.2 * e, 3))
  })
  do.call(rbind, parts)
}

multilevel <- function(d, random) {
  x <- do.call(rbind, lapply(split(d, factor(d$case, unique(d$case))), function(one) cbind(one, columns(one$phase, one$time))))
  f <- as.formula(paste("value ~ trend + level2 + slope2 + (", random, "| case)"))
  fit <- lmer(f, x, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-11, maxfun = 1e5),
                                          check.conv.grad = "ignore", check.conv.hess = "ignore"))
  co <- summary(fit)$coefficients
  list(data = d, random = random, estimate = unname(co[, 1]), std_error = unname(co[, 2]), df = unname(co[, 3]),
       criterion = -2 * as.numeric(logLik(fit)))
}

# Expected REML information of (lower triangle of Tau, phi, sigma^2), from numerical derivatives of V.
between <- function(d, model) {
  treated <- as.numeric(d$phase == "B")
  d$treated <- treated
  last <- ave(ifelse(treated == 0, d$time, -Inf), d$case, FUN = max)
  at <- c(4, 12)
  d$t <- d$time - at[2]
  d$change <- treated * (d$time - last)
  fixed <- if (model %in% c("MB1", "MB2")) value ~ treated else value ~ t + treated + change
  random <- switch(model, MB1 = ~1, MB2 = ~treated, MB3 = ~1, MB4 = ~t)
  fit <- lme(fixed, d, random = list(case = random), correlation = corAR1(0.2, form = ~ time | case), method = "REML",
             control = lmeControl(tolerance = 1e-10, msTol = 1e-12, maxIter = 500, msMaxIter = 500, returnObject = TRUE))
  Tau <- as.matrix(getVarCov(fit))
  phi <- unname(coef(fit$modelStruct$corStruct, unconstrained = FALSE))
  sigma2 <- fit$sigma^2
  X <- model.matrix(fixed, d)
  Z <- model.matrix(random, d)
  q <- ncol(Z)
  same <- outer(d$case, d$case, "==")
  V <- function(theta) {
    lower <- matrix(0, q, q)
    lower[lower.tri(lower, TRUE)] <- theta[seq_len(q * (q + 1) / 2)]
    full <- lower + t(lower) - diag(diag(lower), q)
    k <- length(theta)
    same * (Z %*% full %*% t(Z) + theta[k] * sign(theta[k - 1])^abs(outer(d$time, d$time, "-")) *
              abs(theta[k - 1])^abs(outer(d$time, d$time, "-")))
  }
  theta <- c(Tau[lower.tri(Tau, TRUE)], phi, sigma2)
  inverse <- solve(V(theta))
  C <- solve(t(X) %*% inverse %*% X)
  Q <- inverse - inverse %*% X %*% C %*% t(X) %*% inverse
  moved <- lapply(seq_along(theta), function(j) {
    h <- 1e-5 * max(abs(theta[j]), 0.1)
    step <- replace(numeric(length(theta)), j, h)
    Q %*% (V(theta + step) - V(theta - step)) / (2 * h)
  })
  info <- outer(seq_along(theta), seq_along(theta), Vectorize(function(a, b) 0.5 * sum(moved[[a]] * t(moved[[b]]))))
  r <- numeric(length(theta)); r[c(1, length(theta))] <- 1
  total <- sum(r * theta)
  p <- if (ncol(X) == 2) c(0, 1) else c(0, 0, 1, at[2] - at[1])
  df <- as.numeric(2 * total^2 / (t(r) %*% solve(info) %*% r))
  kappa <- sqrt(as.numeric(t(p) %*% C %*% p) / total)
  plain <- sum(p * fixef(fit)) / sqrt(total)
  J <- 1 - 3 / (4 * df - 1)
  g <- J * plain
  list(data = d[c("case", "phase", "time", "value")], model = model, at = at, g = g, unadjusted = plain, df = df, kappa = kappa,
       variance = J^2 * (df * kappa^2 / (df - 2) + g^2 * (df / (df - 2) - 1 / J^2)), phi = phi, sigma2 = sigma2, total = total)
}

several <- list(multilevel(baselines(5, 20, TRUE), "level2"), multilevel(baselines(8, 15), "1"), multilevel(baselines(6, 24, TRUE), "level2"))
cases <- list(between(baselines(5, 20), "MB1"), between(baselines(7, 16), "MB1"), between(baselines(9, 20, TRUE), "MB2"),
              between(baselines(6, 18), "MB3"), between(baselines(10, 18), "MB4"))

# --- many studies ----------------------------------------------------------------------------------------------------

pooled <- function(d, mods = ~1, rho = 0, random = NULL) {
  d$case <- interaction(d$study, d$case, drop = TRUE)
  d$effect <- factor(seq_len(nrow(d)))
  S <- diag(d$std_error^2)
  if (rho) {
    S <- rho * outer(d$case, d$case, "==") * outer(d$std_error, d$std_error)
    diag(S) <- d$std_error^2
  }
  fit <- rma.mv(estimate, S, mods = mods, random = random, data = d,
                control = list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-15))
  robust <- coef_test(fit, vcov = "CR2", cluster = d$study, test = "Satterthwaite")
  W <- solve(S); X <- model.matrix(fit)
  P <- W - W %*% X %*% solve(t(X) %*% W %*% X) %*% t(X) %*% W
  I2 <- 100 * fit$sigma2 / (sum(fit$sigma2) + (fit$k - fit$p) / sum(diag(P)))
  d$effect <- NULL
  d$case <- as.character(d$case); d$study <- as.character(d$study)
  list(data = d, rho = rho, moderators = setdiff(all.vars(mods), character()), estimate = unname(as.numeric(fit$beta)),
       model_error = unname(fit$se), tau2 = fit$sigma2, i2 = I2, q = fit$QE, q_p = fit$QEp, log_likelihood = as.numeric(logLik(fit, REML = TRUE)),
       robust_error = unname(robust$SE), df = unname(if ("df_Satt" %in% names(robust)) robust$df_Satt else robust$df), p = unname(if ("p_Satt" %in% names(robust)) robust$p_Satt else robust$p_val))
}

effects <- function(studies, per_case = 1, most = 5) {
  rows <- do.call(rbind, lapply(seq_len(studies), function(s) {
    m <- sample(1:most, 1)
    u <- rnorm(1, 0, 0.4)
    do.call(rbind, lapply(seq_len(m), function(i) {
      k <- if (per_case > 1) sample(1:per_case, 1) else 1
      data.frame(study = paste0("s", s), case = paste0("c", i), estimate = round(0.6 + u + rnorm(1, 0, 0.3) + rnorm(k, 0, 0.35), 4),
                 std_error = round(runif(k, 0.1, 0.4), 4), weeks = sample(4:12, 1), stage = sample(c("junior", "primary"), 1))
    }))
  }))
  rows
}

many <- list(
  pooled(effects(9), random = ~ 1 | study / case),
  pooled(effects(20), random = ~ 1 | study / case),
  pooled(effects(12), mods = ~weeks, random = ~ 1 | study / case),
  pooled(effects(15), mods = ~ weeks + stage, random = ~ 1 | study / case),
  pooled(effects(10, per_case = 3), random = ~ 1 | study / case / effect),
  pooled(effects(14, per_case = 3), rho = 0.6, random = ~ 1 | study / case / effect),
  pooled(effects(8, most = 1), random = ~ 1 | study),
  pooled(effects(3, most = 4), random = ~ 1 | study / case)
)

# Konstantopoulos (2011): the data of metafor's documentation, whose values the tests quote.
schools <- with(metadat::dat.konstantopoulos2011,
                data.frame(study = as.character(district), case = as.character(school), estimate = yi, std_error = sqrt(vi)))

write_json(list(single = single, several = several, cases = cases, many = many, konstantopoulos = schools),
           "tests/reference/single_case_models.json", digits = 12, auto_unbox = TRUE)
