# Reference values of inference about fixed effects: lmerTest (Satterthwaite), pbkrtest (Kenward-Roger) and
# clubSandwich (CR2, HTZ), for nested intercepts and for slopes. Run from the root: Rscript tests/reference/inference.R
# It writes inference.json beside itself. Joint tests are of the coefficients named in `joint`.
suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
  library(pbkrtest)
  library(clubSandwich)
  library(mlmRev)
  library(jsonlite)
})

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-11, maxfun = 1e5),
                     check.conv.grad = "ignore", check.conv.hess = "ignore")

plain <- function(frame) {
  frame[] <- lapply(frame, function(x) {
    if (is.factor(x)) factor(as.character(x), levels = sort(unique(as.character(x)), method = "radix")) else x
  })
  frame
}

reference <- function(data, name, formula, cluster, joint) {
  used <- all.vars(formula)
  frame <- droplevels(na.omit(data[, used]))
  fit <- lmerTest::lmer(formula, frame, REML = TRUE, control = tight)
  terms <- names(fixef(fit))
  rows <- diag(length(terms))[terms %in% joint, , drop = FALSE]
  satterthwaite <- as.data.frame(summary(fit, ddf = "Satterthwaite")$coefficients)
  adjusted <- vcovAdj(fit)
  kr <- t(sapply(seq_along(terms), function(i) {
    L <- matrix(0, 1, length(terms)); L[i] <- 1
    c(sqrt(as.numeric(L %*% adjusted %*% t(L))), get_Lb_ddf(fit, L))
  }))
  robust <- vcovCR(fit, cluster = frame[[cluster]], type = "CR2")
  cr2 <- coef_test(fit, vcov = robust, test = "Satterthwaite")
  f_satterthwaite <- contestMD(fit, rows)
  f_kr <- KRmodcomp(fit, rows)$stats
  f_cr2 <- Wald_test(fit, constraints = rows, vcov = robust, test = "HTZ")
  list(
    data = name, formula = deparse1(formula), n = nobs(fit), criterion = -2 * as.numeric(logLik(fit)),
    term = terms, estimate = unname(fixef(fit)),
    satterthwaite = list(std_error = satterthwaite[, "Std. Error"], df = satterthwaite[, "df"]),
    kenward_roger = list(std_error = kr[, 1], df = kr[, 2]),
    cr2 = list(std_error = cr2$SE, df = cr2$df_Satt),
    joint = list(term = joint,
                 satterthwaite = c(f_satterthwaite[["F value"]], f_satterthwaite[["DenDF"]]),
                 kenward_roger = c(f_kr$Fstat, f_kr$ddf),
                 cr2 = c(f_cr2$Fstat, f_cr2$df_denom))
  )
}

grade3 <- plain(subset(star, gr == "3"))
grade3$cltype <- relevel(grade3$cltype, "reg")
grade3$ladder <- factor(ifelse(grade3$clad %in% c("1", "2", "3"), as.character(grade3$clad), "pre"),
                        levels = c("pre", "1", "2", "3"))
grade3$ladder[is.na(grade3$clad)] <- NA
few <- function(data, column, number) {
  data[as.character(data[[column]]) %in% sort(unique(as.character(data[[column]])), method = "radix")[1:number], ]
}

values <- list(
  reference(grade3, "star3", math ~ cltype + ladder + exp + ses + sx + schtype + (1 | sch/tch), "sch",
            c("ladder1", "ladder2", "ladder3")),
  reference(few(plain(Exam), "school", 20), "Exam", normexam ~ standLRT + schavg + sex + (1 + standLRT | school),
            "school", c("standLRT", "schavg")),
  reference(few(plain(Exam), "school", 20), "Exam", normexam ~ standLRT + sex + (1 + standLRT || school),
            "school", c("standLRT", "sexM")),
  reference(few(plain(egsingle), "schoolid", 12), "egsingle",
            math ~ year + lowinc + female + (1 + year | schoolid/childid), "schoolid", c("year", "lowinc"))
)
made <- list(R = R.version.string)
for (name in c("lme4", "lmerTest", "pbkrtest", "clubSandwich", "mlmRev")) {
  made[[name]] <- as.character(packageVersion(name))
}
write(toJSON(list(made_with = made, models = values), auto_unbox = TRUE, digits = NA, pretty = TRUE),
      "tests/reference/inference.json")
