# Reference values for crossed random intercepts: lme4 at tight tolerances; degrees of freedom by lmerTest
# (Satterthwaite) and pbkrtest (Kenward-Roger) where they take seconds.
# Data: lme4 (InstEval, Penicillin, Pastes, cake), mlmRev (star, ScotsSec).
# Run from the root: Rscript tests/reference/crossed.R
# It writes crossed.json beside itself.
suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
  library(pbkrtest)
  library(mlmRev)
  library(jsonlite)
})

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-10, maxfun = 1e5),
                     check.conv.grad = "ignore", check.conv.hess = "ignore", calc.derivs = FALSE)

# Effects of the first ten levels, in the order in which R sorts the levels as text.
first_effects <- function(fit, factor) {
  effects <- as.data.frame(lme4::ranef(fit, condVar = TRUE))
  effects <- effects[effects$grpvar == factor, ]
  effects <- effects[order(as.character(effects$grp), method = "radix"), ][1:min(10, nrow(effects)), ]
  list(level = as.character(effects$grp), estimate = effects$condval, std_dev = effects$condsd)
}

reference <- function(data, frame, fixed, factors, reml, inference, weights = NULL) {
  formula <- as.formula(paste(deparse1(fixed), "+", paste0("(1 | ", factors, ")", collapse = " + ")))
  frame$w <- if (is.null(weights)) rep(1, nrow(frame)) else weights
  fit <- lmerTest::lmer(formula, frame, REML = reml, control = tight, weights = w)
  table <- as.data.frame(VarCorr(fit))
  value <- list(
    data = data, fixed = deparse1(fixed), factors = factors, weighted = !is.null(weights),
    method = if (reml) "reml" else "ml", n = nobs(fit), criterion = -2 * as.numeric(logLik(fit)),
    variance = setNames(as.list(table$vcov), table$grp)[c(factors, "Residual")],
    term = names(fixef(fit)), estimate = unname(fixef(fit)), std_error = unname(sqrt(diag(as.matrix(vcov(fit))))),
    effects = setNames(lapply(factors, first_effects, fit = fit), factors)
  )
  if (inference) {
    value$df_satterthwaite <- unname(coef(summary(fit))[, "df"])
  }
  # pbkrtest takes the residual covariance as the identity, weights or not.
  if (inference && is.null(weights)) {
    terms <- names(fixef(fit))
    value$df_kenward_roger <- sapply(seq_along(terms), function(i) {
      pbkrtest::Lb_ddf(as.numeric(seq_along(terms) == i), vcov(fit), pbkrtest::vcovAdj(fit))
    })
    value$std_error_kenward_roger <- unname(sqrt(diag(as.matrix(pbkrtest::vcovAdj(fit)))))
  }
  value
}

star <- subset(star, !is.na(math) & !is.na(gr) & !is.na(cltype))
star$gr <- factor(as.character(star$gr), levels = c("K", "1", "2", "3"), ordered = TRUE)
star$cltype <- factor(as.character(star$cltype), levels = c("small", "reg", "reg+A"))
InstEval$service <- factor(as.character(InstEval$service))
# Every seventh row missing, and weights, so that nothing is balanced.
penicillin <- Penicillin[seq_len(nrow(Penicillin)) %% 7 != 3, ]

values <- list(
  reference("InstEval", InstEval, y ~ service, c("s", "d", "dept"), FALSE, FALSE),
  reference("star", star, math ~ gr + cltype, c("sch", "tch", "id"), TRUE, FALSE),
  reference("Penicillin", Penicillin, diameter ~ 1, c("plate", "sample"), TRUE, TRUE),
  reference("Penicillin", Penicillin, diameter ~ 1, c("plate", "sample"), FALSE, FALSE),
  reference("Penicillin part", penicillin, diameter ~ 1, c("plate", "sample"), TRUE, TRUE,
            weights = 1 + (seq_len(nrow(penicillin)) %% 3)),
  reference("Pastes", Pastes, strength ~ 1, c("batch", "sample"), TRUE, TRUE),
  reference("Pastes", Pastes, strength ~ 1, c("batch", "sample"), FALSE, FALSE),
  reference("Pastes", Pastes, strength ~ 1, c("batch", "cask"), TRUE, FALSE),
  reference("ScotsSec", ScotsSec, attain ~ sex + verbal, c("primary", "second"), TRUE, FALSE),
  reference("cake", cake, angle ~ temp, c("recipe", "replicate"), TRUE, FALSE)
)
made <- sapply(c("lme4", "lmerTest", "pbkrtest", "mlmRev"), function(p) as.character(packageVersion(p)))
write(toJSON(list(made_with = c(list(R = R.version.string), as.list(made)), models = values), auto_unbox = TRUE,
             digits = NA, pretty = TRUE), "tests/reference/crossed.json")
