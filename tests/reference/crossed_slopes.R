# Reference values for random slopes where groups cross: lme4 at tight tolerances, the best of two optimisers; degrees
# of freedom by lmerTest (Satterthwaite) and pbkrtest (Kenward-Roger) where they take seconds.
# Data: lme4 (InstEval, cake), mlmRev (star, ScotsSec).
# Run from the root: Rscript tests/reference/crossed_slopes.R
# It writes crossed_slopes.json beside itself.
suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
  library(pbkrtest)
  library(mlmRev)
  library(jsonlite)
})

quiet <- list(check.conv.grad = "ignore", check.conv.hess = "ignore", check.conv.singular = "ignore",
              calc.derivs = FALSE)
controls <- list(
  do.call(lmerControl, c(list(optimizer = "bobyqa",
                              optCtrl = list(rhobeg = 0.1, rhoend = 1e-10, maxfun = 1e5)), quiet)),
  do.call(lmerControl, c(list(optimizer = "nloptwrap",
                              optCtrl = list(xtol_abs = 1e-10, ftol_abs = 1e-12, maxeval = 1e5)), quiet))
)

reference <- function(data, frame, formula, reml, satterthwaite = TRUE, kenward_roger = FALSE, weights = NULL,
                      tries = controls) {
  frame$w <- if (is.null(weights)) rep(1, nrow(frame)) else weights
  fits <- lapply(tries, function(control) {
    lmerTest::lmer(as.formula(formula), frame, REML = reml, control = control, weights = w)
  })
  fit <- fits[[which.max(sapply(fits, function(f) as.numeric(logLik(f))))]]
  table <- as.data.frame(VarCorr(fit))
  value <- list(
    data = data, formula = formula, weighted = !is.null(weights), method = if (reml) "reml" else "ml",
    n = nobs(fit), criterion = -2 * as.numeric(logLik(fit)), singular = isSingular(fit, tol = 1e-5),
    variance = unname(apply(table, 1, function(row) {
      list(group = unname(sub("\\.[0-9]+$", "", row[["grp"]])), first = unname(row[["var1"]]),
           second = unname(row[["var2"]]), value = as.numeric(row[["vcov"]]))
    })),
    term = names(fixef(fit)), estimate = unname(fixef(fit)), std_error = unname(sqrt(diag(as.matrix(vcov(fit)))))
  )
  if (satterthwaite) {
    value$df_satterthwaite <- unname(coef(summary(fit))[, "df"])
  }
  if (kenward_roger) {
    terms <- names(fixef(fit))
    adjusted <- pbkrtest::vcovAdj(fit)
    value$df_kenward_roger <- sapply(seq_along(terms), function(i) {
      pbkrtest::Lb_ddf(as.numeric(seq_along(terms) == i), vcov(fit), adjusted)
    })
    value$std_error_kenward_roger <- unname(sqrt(diag(as.matrix(adjusted))))
  }
  value
}

star <- subset(star, !is.na(math) & !is.na(gr) & !is.na(cltype))
star$grade <- match(as.character(star$gr), c("K", "1", "2", "3")) - 1
star$small <- as.numeric(star$cltype == "small")
InstEval$service <- as.numeric(as.character(InstEval$service))
some <- subset(InstEval, dept %in% c("1", "2", "3", "4", "5"))
part <- ScotsSec[seq_len(nrow(ScotsSec)) %% 4 == 0, ]

slopes <- "attain ~ verbal + sex + (1 + verbal | primary) + (1 | second)"
both <- "attain ~ verbal + sex + (1 + verbal | primary) + (1 + verbal || second)"
values <- list(
  reference("ScotsSec", ScotsSec, slopes, TRUE),
  reference("ScotsSec", ScotsSec, both, FALSE),
  reference("ScotsSec", ScotsSec, slopes, TRUE, weights = 1 + (seq_len(nrow(ScotsSec)) %% 3)),
  reference("ScotsSec part", part, slopes, TRUE, kenward_roger = TRUE),
  reference("cake", cake, "angle ~ temp + (1 + temp | replicate) + (1 | recipe)", TRUE, kenward_roger = TRUE),
  reference("cake", cake, "angle ~ temp + (1 | recipe) + (temp || replicate)", FALSE),
  reference("InstEval some", some, "y ~ service + (1 + service | d) + (1 | s) + (1 | dept)", TRUE,
            satterthwaite = FALSE),
  reference("star", star, "math ~ grade + small + (1 + grade | sch) + (1 | tch) + (1 | id)", TRUE,
            satterthwaite = FALSE, tries = controls[1])
)
made <- sapply(c("lme4", "lmerTest", "pbkrtest", "mlmRev"), function(p) as.character(packageVersion(p)))
write(toJSON(list(made_with = c(list(R = R.version.string), as.list(made)), models = values), auto_unbox = TRUE,
             digits = NA, pretty = TRUE), "tests/reference/crossed_slopes.json")
