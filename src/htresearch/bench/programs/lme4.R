# lme4; pbkrtest where Kenward-Roger is asked for.
suppressPackageStartupMessages(library(lme4))
does <- list(fit = function(frame) {
  reml <- told$method == "reml"
  fit <- suppressWarnings(suppressMessages(lmer(as.formula(told$formula), frame, REML = reml)))
  done(if (reml) REMLcrit(fit) else deviance(fit))
  if ("kenward-roger" %in% steps) {
    adjusted <- pbkrtest::vcovAdj(fit)
    for (i in seq_along(fixef(fit))) pbkrtest::Lb_ddf(as.numeric(seq_along(fixef(fit)) == i), vcov(fit), adjusted)
    done()
  }
})
