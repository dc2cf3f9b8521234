# Reference values for influence: lme4 at tight tolerances, fitted again without each group in turn.
# Data: mlmRev (Exam), lme4 (Penicillin).
# Run from the root: Rscript tests/reference/influence.R
# It writes influence.json beside itself.
suppressPackageStartupMessages({
  library(lme4)
  library(mlmRev)
  library(jsonlite)
})

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-10, maxfun = 1e5),
                     check.conv.grad = "ignore", check.conv.hess = "ignore", check.conv.singular = "ignore",
                     calc.derivs = FALSE)

reference <- function(data, frame, formula, group, weights = NULL) {
  frame$w <- if (is.null(weights)) rep(1, nrow(frame)) else weights
  fitted <- function(rows) lmer(formula, rows, control = tight, weights = w)
  # Variances, then correlations, each from the first group to the last; the residual's comes last of the variances.
  components <- function(fit) {
    table <- as.data.frame(VarCorr(fit))
    c(table$vcov[is.na(table$var2)], table$sdcor[!is.na(table$var2)])
  }
  whole <- fitted(frame)
  inverse <- solve(as.matrix(vcov(whole)))
  groups <- sort(unique(as.character(frame[[group]])), method = "radix")
  without <- lapply(groups, function(name) fitted(frame[as.character(frame[[group]]) != name, ]))
  list(
    data = data, formula = deparse1(formula), group = group, weighted = !is.null(weights), groups = groups,
    term = names(fixef(whole)), estimate = t(sapply(without, function(fit) unname(fixef(fit)))),
    cooks_distance = sapply(without, function(fit) {
      change <- fixef(fit) - fixef(whole)
      as.numeric(change %*% inverse %*% change) / length(change)
    }),
    components = t(sapply(without, components))
  )
}

exam <- Exam[as.integer(as.character(Exam$school)) <= 12, ]
values <- list(
  reference("Exam 1 to 12", exam, normexam ~ standLRT + sex + (1 + standLRT | school), "school",
            weights = 1 + (seq_len(nrow(exam)) %% 3)),
  reference("Exam 1 to 12", exam, normexam ~ standLRT + (1 | school), "school"),
  reference("Penicillin", Penicillin, diameter ~ 1 + (1 | plate) + (1 | sample), "sample")
)
values <- lapply(values, function(value) {
  if (is.null(dim(value$estimate)) || length(value$term) == 1) value$estimate <- matrix(value$estimate, ncol = 1)
  value
})
made <- sapply(c("lme4", "mlmRev"), function(p) as.character(packageVersion(p)))
write(toJSON(list(made_with = c(list(R = R.version.string), as.list(made)), models = values), auto_unbox = TRUE,
             digits = NA, pretty = TRUE), "tests/reference/influence.json")
