# Days since 1970-01-01 in the proleptic Gregorian calendar, as Python's datetime has it.

from libc.stdint cimport int64_t

cdef enum:
    FIRST_DAY = -719162  # 0001-01-01
    LAST_DAY = 2932896  # 9999-12-31


cdef extern from *:
    """
    /* The year is counted from March, so that the leap day is its last; 400 years are 146097 days. */
    static inline int64_t codec_days(int year, int month, int day) {
        int64_t y = month > 2 ? year : year - 1;
        int64_t era = (y >= 0 ? y : y - 399) / 400;
        int64_t of_era = y - era * 400;
        int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    }

    static inline void codec_date(int64_t days, int *year, int *month, int *day) {
        int64_t from = days + 719468;
        int64_t era = (from >= 0 ? from : from - 146096) / 146097;
        int64_t of_era = from - era * 146097;
        int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
        int64_t m = (5 * of_year + 2) / 153;
        *day = (int)(of_year - (153 * m + 2) / 5 + 1);
        *month = (int)(m < 10 ? m + 3 : m - 9);
        *year = (int)(y + era * 400 + (*month <= 2));
    }
    """
    int64_t codec_days(int year, int month, int day) nogil
    void codec_date(int64_t days, int *year, int *month, int *day) nogil
