# Reference values for likelihood-ratio tests of crossed random intercepts: lme4's anova at tight tolerances.
# Its p values are left out: they take no notice of the boundary.
# Data: lme4 (Penicillin, cake), mlmRev (ScotsSec).
# Run from the root: Rscript tests/reference/compare.R
# It writes compare.json beside itself.
suppressPackageStartupMessages({
  library(lme4)
  library(mlmRev)
  library(jsonlite)
})

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-10, maxfun = 1e5),
                     check.conv.grad = "ignore", check.conv.hess = "ignore", check.conv.singular = "ignore",
                     calc.derivs = FALSE)

reference <- function(data, frame, small, large, reml) {
  fits <- lapply(list(small, large), lmer, data = frame, REML = reml, control = tight)
  fixed <- length(fixef(fits[[2]])) - length(fixef(fits[[1]]))
  test <- anova(fits[[1]], fits[[2]], refit = fixed > 0)
  list(data = data, small = deparse1(small), large = deparse1(large), method = if (reml) "reml" else "ml",
       statistic = test$Chisq[2], df = test$Df[2])
}

values <- list(
  reference("Penicillin", Penicillin, diameter ~ 1 + (1 | sample), diameter ~ 1 + (1 | plate) + (1 | sample), TRUE),
  reference("Penicillin", Penicillin, diameter ~ 1 + (1 | plate), diameter ~ 1 + (1 | plate) + (1 | sample), FALSE),
  reference("ScotsSec", ScotsSec, attain ~ verbal + (1 | primary),
            attain ~ verbal + sex + (1 | primary) + (1 | second), TRUE),
  reference("ScotsSec", ScotsSec, attain ~ verbal + (1 | primary) + (1 | second),
            attain ~ verbal + sex + (1 | primary) + (1 | second), TRUE),
  reference("cake", cake, angle ~ 1 + (1 | recipe) + (1 | replicate),
            angle ~ temp + (1 | recipe) + (1 | replicate), FALSE)
)
made <- sapply(c("lme4", "mlmRev"), function(p) as.character(packageVersion(p)))
write(toJSON(list(made_with = c(list(R = R.version.string), as.list(made)), tests = values), auto_unbox = TRUE,
             digits = NA, pretty = TRUE), "tests/reference/compare.json")
