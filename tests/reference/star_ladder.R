# Reference values for all grades of STAR, pupils crossed with teachers: the models of notebook 90. lme4 at tight
# tolerances, Satterthwaite's degrees of freedom by lmerTest.
# Data: mlmRev (star). Run from the root: Rscript tests/reference/star_ladder.R
# It writes star_ladder.json beside itself.
suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
  library(mlmRev)
  library(jsonlite)
})

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-10, maxfun = 1e5),
                     check.conv.grad = "ignore", check.conv.hess = "ignore", calc.derivs = FALSE)

of <- function(column, levels) factor(as.character(column), levels = levels)
star$gr <- of(star$gr, c("K", "1", "2", "3"))
star$cltype <- of(star$cltype, c("reg", "reg+A", "small"))
star$clad <- of(star$clad, c("1", "2", "3", "APPR", "PROB", "NOT"))
for (name in c("hdeg", "ses", "sx", "schtype")) {
  star[[name]] <- of(star[[name]], sort(unique(as.character(star[[name]])), method = "radix"))
}

reference <- function(score) {
  formula <- as.formula(paste(score, "~ gr + cltype + clad + exp + hdeg + ses + sx + schtype",
                              "+ (1 | sch) + (1 | tch) + (1 | id)"))
  fit <- lmerTest::lmer(formula, star, control = tight)
  table <- as.data.frame(VarCorr(fit))
  coefficients <- coef(summary(fit))
  ladder <- contestMD(fit, diag(nrow(coefficients))[grep("^clad", rownames(coefficients)), ])
  list(score = score, n = nobs(fit), criterion = REMLcrit(fit),
       variance = setNames(as.list(table$vcov), table$grp)[c("sch", "tch", "id", "Residual")],
       term = rownames(coefficients), estimate = unname(coefficients[, "Estimate"]),
       std_error = unname(coefficients[, "Std. Error"]), df = unname(coefficients[, "df"]),
       ladder = list(statistic = ladder[["F value"]], df = ladder[["DenDF"]], p_value = ladder[["Pr(>F)"]]))
}

made <- sapply(c("lme4", "lmerTest", "mlmRev"), function(p) as.character(packageVersion(p)))
write(toJSON(list(made_with = c(list(R = R.version.string), as.list(made)),
                  models = list(reference("math"), reference("read"))),
             auto_unbox = TRUE, digits = NA, pretty = TRUE), "tests/reference/star_ladder.json")
