# Reference values of profile-likelihood intervals: lme4's confint(method = "profile") of ML fits, nested, with slopes
# and crossed. Run from the root: Rscript tests/reference/intervals.R
# It writes intervals.json beside itself. lme4 finds the ends on splines through points of the profile; `delta` and
# `maxpts` make the points dense.
suppressPackageStartupMessages({
  library(lme4)
  library(mlmRev)
  library(jsonlite)
})

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-11, maxfun = 1e5),
                     check.conv.grad = "ignore", check.conv.hess = "ignore")

reference <- function(data, name, formula, level = 0.95) {
  fit <- lmer(formula, data, REML = FALSE, control = tight)
  profiled <- profile(fit, which = "theta_", signames = FALSE, delta = 0.1, maxpts = 400)
  ends <- suppressWarnings(confint(profiled, level = level))
  list(data = name, formula = deparse1(formula), conf_level = level, n = nobs(fit),
       criterion = -2 * as.numeric(logLik(fit)), term = rownames(ends), conf_low = unname(ends[, 1]),
       conf_high = unname(ends[, 2]))
}

values <- list(
  reference(sleepstudy, "sleepstudy", Reaction ~ Days + (1 + Days | Subject)),
  reference(sleepstudy, "sleepstudy", Reaction ~ Days + (1 + Days | Subject), 0.8),
  reference(sleepstudy, "sleepstudy", Reaction ~ Days + (1 + Days || Subject)),
  reference(Exam, "Exam", normexam ~ standLRT + (1 + standLRT | school)),
  reference(Chem97, "Chem97", score ~ gcsecnt + (1 | lea/school)),
  reference(Penicillin, "Penicillin", diameter ~ 1 + (1 | plate) + (1 | sample)),
  reference(Pastes, "Pastes", strength ~ 1 + (1 | batch/cask))
)
made <- list(R = R.version.string)
for (name in c("lme4", "mlmRev")) made[[name]] <- as.character(packageVersion(name))
write(toJSON(list(made_with = made, models = values), auto_unbox = TRUE, digits = NA, na = "null", pretty = TRUE),
      "tests/reference/intervals.json")
